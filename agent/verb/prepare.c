/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/prepare.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "config/secret.h"
#include "playbook/playbook.h"
#include "stack/live.h"

enum { REPORT_MAX = 1 << 20, COMMAND_MAX = 64 * 1024 };

int prepare_report(VerbContext *context, Diagnostics *diags, Err *err)
{
    int status = diags->errors ? PREPARE_INVALID : 0;
    if (diags->items.n == 0)
        return status;
    if (context->globals->json && status) {
        Node *map = node_map(context->arena);
        node_set(context->arena, map, "problems", diagnostics_to_node(context->arena, diags));
        secret_mask_node(context->arena, map);
        int r = verb_print_json_line(map, err);
        return r < 0 ? r : status;
    }
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(REPORT_MAX);
    bool colour = context->colour && isatty(STDERR_FILENO);
    diagnostics_render(diags, colour, &text);
    const char *shown = secret_mask_text(context->arena, strbuf_str(&text));
    if (colour)
        log_painted(shown);
    else
        log_text("%s", shown);
    return status;
}

int prepare_playbook(VerbContext *context, const char *name, const StringVec *given, const Playbook **ret, Err *err)
{
    const Source *source;
    BindingVec bindings = {0};
    Diagnostics diags = diagnostics_new(context->arena);
    int r = playbook_find(context->arena, context->settings->playbook_dirs, name, &source, err);
    if (r == -ERR_NOT_FOUND) {
        err->kind = ERR_INVALID; /* a wrong word on the command line */
        return -ERR_INVALID;
    }
    for (size_t i = 0; r >= 0 && i < given->n; i++)
        r = binding_add(context->arena, given->items[i], &bindings, err);
    if (r < 0)
        return r;
    r = playbook_load(context->arena, source, &bindings, &diags, ret, err);
    if (r < 0 && diags.errors == 0)
        return r;
    return prepare_report(context, &diags, err);
}

int prepare_host(VerbContext *context, Host *ret, Err *err)
{
    CLEANUP(host_close) Host host = {.view = view_new(context->arena, context->settings->root)};
    if (!*context->settings->root) {
        int r = systemd_open(&host.systemd, err);
        if (r < 0)
            return err_prefix(err, "cannot look at this host (--root DIR looks at a tree instead)");
        host.live = live_new(context->arena, host.systemd, "");
    }
    *ret = host;
    host = (Host){0};
    return 0;
}

void host_close(Host *host)
{
    systemd_close(host->systemd);
}

PlanOptions prepare_plan_options(const VerbContext *context, bool accept_pending)
{
    return (PlanOptions){
        .accept_pending = accept_pending,
        .template_dirs = &context->settings->template_dirs,
        .managed_roots = &context->settings->managed_roots,
    };
}

DiffOptions prepare_diff_options(const VerbContext *context)
{
    return (DiffOptions){.colour = context->colour, .context = 3};
}

char *prepare_command(Arena *arena, const char *verb, const char *playbook, const StringVec *given)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(COMMAND_MAX);
    strbuf_printf(&text, "salve %s ", verb);
    strbuf_add_shell_word(&text, playbook);
    VEC_EACH (value, given) {
        strbuf_add_str(&text, " -e ");
        strbuf_add_shell_word(&text, *value);
    }
    return strbuf_dup(arena, &text);
}
