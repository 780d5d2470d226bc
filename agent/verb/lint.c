/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/files.h"
#include "data/template.h"
#include "playbook/playbook.h"
#include "verb/prepare.h"

typedef struct Lint {
    VerbContext *context;
    Diagnostics diags;
    size_t playbooks, templates;
} Lint;

static void lint_playbook(Lint *lint, const char *name)
{
    Err err;
    const Source *source;
    const Playbook *playbook;
    Arena *arena = lint->context->arena;
    size_t errors = lint->diags.errors;
    lint->playbooks++;
    int r = playbook_find(arena, lint->context->settings->playbook_dirs, name, &source, &err);
    if (r >= 0)
        r = playbook_load(arena, source, NULL, &lint->diags, &playbook, &err);
    if (r < 0 && lint->diags.errors == errors)
        diag_from_err(&lint->diags, NULL, &err);
}

static void lint_template(Lint *lint, const char *path)
{
    Err err;
    Bytes text;
    const Template *template;
    lint->templates++;
    int r = files_load(lint->context->arena, path, TEMPLATE_MAX_OUTPUT, &text, &err);
    if (r >= 0)
        r = template_parse(lint->context->arena, path, text, &template, &err);
    if (r < 0) {
        diag_from_err(&lint->diags, NULL, &err);
    } else if (!template_escape_name(template)) {
        err_at(&err, ERR_INVALID, path, 1, 1,
               "the first line names no escaping; write {{! escape: nginx }} (or systemd, python, env, raw)");
        diag_from_err(&lint->diags, NULL, &err);
    }
}

/* Everything in the directories of the settings. */
static int lint_all(Lint *lint, Err *err)
{
    Arena *arena = lint->context->arena;
    const Settings *settings = lint->context->settings;
    PlaybookVec playbooks = {0};
    View *view = view_new(arena, settings->root);
    int r = playbook_list(arena, settings->playbook_dirs, &lint->diags, &playbooks, err);
    if (r < 0)
        return r;
    lint->playbooks = playbooks.n;
    VEC_EACH (dir, &settings->template_dirs) {
        StringVec names;
        r = view_list(view, *dir, &names, err);
        if (r < 0)
            return r;
        VEC_EACH (name, &names)
            lint_template(lint, arena_printf(arena, "%s%s/%s", settings->root, *dir, *name));
    }
    return 0;
}

static int lint_run(VerbContext *context, Err *err)
{
    Lint lint = {.context = context, .diags = diagnostics_new(context->arena)};
    VEC_EACH (file, &context->arguments) {
        const char *slash = strrchr(*file, '/');
        bool is_template = slash && !str_ends(*file, ".yaml") && !str_ends(*file, ".yml");
        (is_template ? lint_template : lint_playbook)(&lint, *file);
    }
    int r = context->arguments.n ? 0 : lint_all(&lint, err);
    if (r < 0)
        return r;
    r = prepare_report(context, &lint.diags, err);
    if (r != 0 || context->globals->quiet || context->globals->json)
        return r;
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(1000);
    strbuf_printf(&text, "%zu playbook%s, %zu template%s: no errors\n", lint.playbooks, lint.playbooks == 1 ? "" : "s",
                  lint.templates, lint.templates == 1 ? "" : "s");
    return verb_print(&text, err);
}

const Verb verb_lint = {
    .name = "lint",
    .summary = "Check playbooks and templates; without FILE, all that are installed.",
    .arguments = "[FILE...]",
    .details = "A FILE that ends in .yaml, or a bare name, is a playbook; any other path is a template.",
    .max_arguments = VERB_MANY,
    .completes = COMPLETES_FILE,
    .takes_root = true,
    .run = lint_run,
};
