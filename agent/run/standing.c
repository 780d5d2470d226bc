/* SPDX-License-Identifier: Apache-2.0 */
#include "run/standing.h"

#include <string.h>

#include "base/strbuf.h"

/* `ids` is a list with spaces between (RunRecord.undoes), or NULL. */
static bool has_id(const char *ids, const char *id)
{
    size_t len = strlen(id);
    for (const char *at = ids; at && *at; at += strcspn(at, " "), at += *at == ' ') {
        if (strcspn(at, " ") == len && memcmp(at, id, len) == 0)
            return true;
    }
    return false;
}

/* Whoever undoes a run is newer than it, so one pass from the newest on is enough. */
void standing_mark(Arena *arena, PastRunVec *runs)
{
    StringVec undone = {0};
    VEC_EACH (run, runs) {
        run->stands = run->record.state == RUN_KEPT;
        for (size_t i = 0; run->stands && i < undone.n; i++)
            run->stands = !has_id(undone.items[i], run->record.id);
        if (run->stands && run->record.undoes)
            *vec_push(arena, &undone) = run->record.undoes;
    }
}

int standing_load(Ledger *ledger, Arena *arena, PastRunVec *ret, Err *err)
{
    RunRecordVec records = {0};
    LedgerFileVec files = {0};
    PastRunVec runs = {0};
    size_t at = 0;
    int r = ledger_list(ledger, arena, 0, &records, err);
    if (r >= 0)
        r = ledger_list_files(ledger, arena, &files, err);
    if (r < 0)
        return r;
    VEC_EACH (record, &records) {
        PastRun *run = vec_push(arena, &runs);
        *run = (PastRun){.record = *record};
        for (; at < files.n && str_equal(files.items[at].run, record->id); at++) /* in the same order */
            *vec_push(arena, &run->files) = files.items[at].path;
    }
    standing_mark(arena, &runs);
    *ret = runs;
    return 0;
}

/* --- Temporary changes --- */

static bool share_a_file(const StringVec *a, const StringVec *b)
{
    VEC_EACH (path, a) {
        if (strings_contain(b, *path))
            return true;
    }
    return false;
}

/* Whether all of the ids are runs newer than this one. */
static bool all_newer(const PastRunVec *runs, const PastRun *than, const char *ids)
{
    size_t newer = 0, wanted = 0;
    for (const char *at = ids; at && *at; at += strcspn(at, " "), at += *at == ' ')
        wanted++;
    for (const PastRun *run = runs->items; run < than; run++)
        newer += has_id(ids, run->record.id);
    return newer == wanted;
}

bool temporary_is_touched(const PastRunVec *runs, const PastRun *temporary, const StringVec *files, const char *undoes)
{
    bool takes_back_what_came_later = undoes && all_newer(runs, temporary, undoes);
    return share_a_file(files, &temporary->files) && !takes_back_what_came_later;
}

#define END_OF "end of temporary "

char *temporary_end_origin(Arena *arena, const char *run_id)
{
    return arena_printf(arena, END_OF "%s", run_id);
}

/* Whether it is an end, and not somebody's rollback before the time. That they are about the same change is told by the
 * ids; for what is done by hand only the clock can say it. */
static bool is_end(const RunRecord *run, const RunRecord *temporary)
{
    const char *id = run->origin && str_starts(run->origin, END_OF) ? run->origin + strlen(END_OF) : NULL;
    return str_equal(id, temporary->id) || run->created >= temporary->until;
}

/* It was ended, its time being over, and the end was undone. */
static bool was_brought_back(const PastRunVec *runs, const PastRun *temporary)
{
    for (const PastRun *run = runs->items; run < temporary; run++) {
        if (run->record.state == RUN_KEPT && is_end(&run->record, &temporary->record) &&
            has_id(run->record.undoes, temporary->record.id))
            return true;
    }
    return false;
}

static const Temporary *find(const TemporaryVec *temporaries, const PastRun *run)
{
    VEC_EACH (temporary, temporaries) {
        if (temporary->run == run)
            return temporary;
    }
    return NULL;
}

/* What the later runs mean for it; `newer` are the temporary ones among them, judged already. */
static void judge_later(const PastRunVec *runs, const TemporaryVec *newer, Temporary *ret)
{
    for (const PastRun *run = ret->run; run-- > runs->items;) {
        if (!run->stands || !temporary_is_touched(runs, ret->run, &run->files, run->record.undoes))
            continue;
        const Temporary *temporary = find(newer, run);
        bool for_good = !temporary || temporary->state == TEMPORARY_SUPERSEDED;
        ret->state = for_good ? TEMPORARY_SUPERSEDED : TEMPORARY_WAITING;
        ret->by = &run->record;
        ret->next = USEC_INFINITY;
        if (for_good)
            return;
    }
}

/* An attempt that ended in the future was made before the clock was set back: how long ago is not known. */
static usec next_after(const RunRecord *attempt, usec now_realtime)
{
    return attempt->ended <= now_realtime ? attempt->ended + TEMPORARY_RETRY_USEC : now_realtime;
}

/* What came of the attempts to end it, its time being over. */
static void judge_attempts(const PastRunVec *runs, usec now_realtime, Temporary *ret)
{
    const RunRecord *own = &ret->run->record;
    unsigned touched = 0;
    for (const PastRun *run = runs->items; run < ret->run; run++) {
        const RunRecord *attempt = &run->record;
        if (attempt->state == RUN_KEPT || !run_state_terminal(attempt->state) || !is_end(attempt, own) ||
            !str_equal(attempt->undoes ? attempt->undoes : "", own->id))
            continue;
        if (!ret->by) {
            ret->by = attempt;
            ret->next = next_after(attempt, now_realtime);
        }
        touched += attempt->state != RUN_REFUSED;
        if (attempt->blamed || attempt->state == RUN_STUCK || touched >= TEMPORARY_ATTEMPTS) {
            ret->state = TEMPORARY_GIVEN_UP;
            ret->next = USEC_INFINITY;
            return;
        }
    }
}

void temporaries_find(Arena *arena, const PastRunVec *runs, usec now_realtime, TemporaryVec *ret)
{
    TemporaryVec found = {0};
    VEC_EACH (run, runs) {
        if (!run->stands || run->record.until == 0 || was_brought_back(runs, run))
            continue;
        Temporary temporary = {.run = run, .next = run->record.until};
        judge_later(runs, &found, &temporary);
        if (temporary.state == TEMPORARY_RUNNING && run->record.until <= now_realtime) {
            temporary.state = TEMPORARY_DUE;
            judge_attempts(runs, now_realtime, &temporary);
        }
        *vec_push(arena, &found) = temporary;
    }
    *ret = found;
}

usec temporaries_next(const TemporaryVec *temporaries, usec now_realtime, usec overdue)
{
    usec next = USEC_INFINITY;
    VEC_EACH (temporary, temporaries) {
        usec at = temporary->next <= now_realtime ? overdue : temporary->next;
        next = at < next ? at : next;
    }
    return next;
}

const char *temporary_state_to_string(TemporaryState state)
{
    static const char *const names[] = {
        [TEMPORARY_RUNNING] = "running",       [TEMPORARY_DUE] = "due",           [TEMPORARY_WAITING] = "waiting",
        [TEMPORARY_SUPERSEDED] = "superseded", [TEMPORARY_GIVEN_UP] = "given-up",
    };
    return names[state];
}
