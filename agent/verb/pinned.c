/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/pinned.h"

#include <unistd.h>

#include "base/log.h"
#include "host/child.h"
#include "store/program.h"
#include "store/store.h"

enum { NOT_TAKEN_OVER = 1 };

static bool find_program(VerbContext *context, const char **ret)
{
    Hot hot;
    LockHolder holder;
    Err ignored;
    const char *dir = context->settings->state_dir;
    if (hot_read(dir, &hot, &ignored) != 0 || !*hot.program || lock_holder(dir, &holder, &ignored) == 0)
        return false;
    *ret = arena_strdup(context->arena, hot.program);
    return !str_equal(*ret, program_self(context->arena)) && access(*ret, X_OK) == 0;
}

int pinned_take_over(VerbContext *context, const char *word)
{
    StringVec argv = {0};
    const Globals *globals = context->globals;
    const char *program;
    if (!find_program(context, &program))
        return NOT_TAKEN_OVER;
    *vec_push(context->arena, &argv) = program;
    if (globals->state)
        *vec_push(context->arena, &argv) = arena_printf(context->arena, "--state=%s", globals->state);
    if (globals->config)
        *vec_push(context->arena, &argv) = arena_printf(context->arena, "--config=%s", globals->config);
    if (globals->json)
        *vec_push(context->arena, &argv) = "--json";
    *vec_push(context->arena, &argv) = "recover";
    *vec_push(context->arena, &argv) = word;
    *vec_push(context->arena, &argv) = NULL;
    ChildSpec spec = {.argv = argv.items, .inherit = true, .timeout_usec = USEC_INFINITY, .directory = "."};
    ChildResult result;
    Err err;
    int r = child_run(context->arena, &spec, &result, &err);
    if (r >= 0 && child_succeeded(&result))
        return 0;
    log_warning("%s, which began the run that is hot, could not finish it (%s); this salve tries", program,
                r < 0 ? err_text(&err) : child_end_to_string(context->arena, &result));
    return NOT_TAKEN_OVER;
}
