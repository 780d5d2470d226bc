/* SPDX-License-Identifier: Apache-2.0 */
/* The hidden command behind shell completion: its scripts, and the words that only this host knows. */
#include "playbook/playbook.h"
#include "store/store.h"
#include "verb/verb.h"

enum { WORDS_MAX = 1 << 20 };

static int playbook_words(VerbContext *context, StrBuf *out, Err *err)
{
    PlaybookVec playbooks = {0};
    Diagnostics diags = diagnostics_new(context->arena);
    int r = playbook_list(context->arena, context->settings->playbook_dirs, &diags, &playbooks, err);
    if (r < 0)
        return r;
    VEC_EACH (playbook, &playbooks)
        strbuf_printf(out, "%s\n", (*playbook)->name);
    return 0;
}

static int run_words(VerbContext *context, StrBuf *out, Err *err)
{
    RunRecordVec runs = {0};
    CLEANUP(store_close) Store store = {0};
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0 && store.ledger)
        r = ledger_list(store.ledger, context->arena, 0, &runs, err);
    if (r < 0)
        return r;
    VEC_EACH (run, &runs)
        strbuf_printf(out, "%s\n", run->id);
    return 0;
}

static int completion_run(VerbContext *context, Err *err)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(WORDS_MAX);
    const char *what = context->arguments.items[0];
    int r;
    if (str_equal(what, "playbooks"))
        r = playbook_words(context, &text, err);
    else if (str_equal(what, "runs"))
        r = run_words(context, &text, err);
    else
        r = completion_script(what, &text, err);
    return r < 0 ? r : verb_print(&text, err);
}

const Verb verb_completion = {
    .name = "completion",
    .summary = "Print the completion script of a shell (bash, zsh or fish), or the words that it asks for.",
    .arguments = "SHELL|playbooks|runs",
    .min_arguments = 1,
    .max_arguments = 1,
    .hidden = true,
    .run = completion_run,
};
