/* SPDX-License-Identifier: Apache-2.0 */
#include "report/outcome.h"

#include <string.h>

#include "base/cleanup.h"
#include "report/ink.h"
#include "report/text.h"
#include "run/state.h"

/* %s in `next` is the run's id. */
typedef struct End {
    const char *meaning;
    const char *next[3];
} End;

static const End ends[RUN_STATE_COUNT] = {
    [RUN_KEPT] = {"the change stays", {"salve show %s --diff", "salve rollback %s", NULL}},
    [RUN_RESTORED] = {"the files are back, but services and checks are not proved yet; a recovery does that",
                      {"salve recover", "salve show %s", NULL}},
    [RUN_ROLLED_BACK] = {"everything is as it was before", {"salve show %s --diff", NULL}},
    [RUN_REFUSED] = {"nothing was touched", {"salve show %s", NULL}},
    [RUN_FAILED] = {"there was nothing to put back", {"salve show %s", "salve diagnose", NULL}},
    [RUN_STUCK] = {"it could not be proved that everything is as it was; no run is started until a person looked",
                   {"salve show %s --diff", "salve recover --again", "salve recover --acknowledge"}},
};

/* Of a run that was to edit nothing. */
static const End restarted = {"restarted, and well since; nothing to undo", {"salve show %s", NULL}};

/* "(conflict: PATH ...)", or NULL. */
static const char *conflict_of(const RunRecord *run)
{
    return run->reason ? strstr(run->reason, RUN_CONFLICT) : NULL;
}

void outcome_show(const RunRecord *run, bool colour, StrBuf *out)
{
    Ink ink = {out, colour};
    ink_text(&ink, text_colour_of_state(run->state), run_state_to_string(run->state));
    CLEANUP(arena_free) Arena *arena = arena_new();
    const End *end = run->state == RUN_KEPT && run->restarts_only ? &restarted : &ends[run->state];
    if (run->state == RUN_KEPT && run->until)
        ink_printf(&ink, INK_PLAIN, " until %s: then the change is undone by itself", usec_to_local(arena, run->until));
    else if (run->state == RUN_ROLLED_BACK && conflict_of(run))
        ink_printf(&ink, INK_PLAIN, ": everything else is as it was before %s", conflict_of(run));
    else if (end->meaning)
        ink_printf(&ink, INK_PLAIN, ": %s", end->meaning);
    ink_text(&ink, INK_PLAIN, "\n");
    for (size_t i = 0; i < ARRAY_LEN(end->next) && end->next[i]; i++) {
        CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(1000);
        const char *next = end->next[i];
        for (const char *p = next; *p; p++) {
            if (p[0] == '%' && p[1] == 's') {
                strbuf_add_str(&line, run->id);
                p++;
            } else {
                strbuf_add_char(&line, *p);
            }
        }
        ink_printf(&ink, INK_DIM, "%s%s\n", i == 0 ? "next: " : "      ", strbuf_str(&line));
    }
}
