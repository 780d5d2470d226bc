/* SPDX-License-Identifier: Apache-2.0 */
#include "run/due.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNIT_DIR     "/etc/systemd/system"
#define DROP_IN_DIR  UNIT_DIR "/" DUE_TIMER ".d"
#define DROP_IN_PATH DROP_IN_DIR "/due.conf"

/* A time that has passed when the timer is started would never come. */
#define SOON_USEC (2 * USEC_PER_SEC)

int due_check_timer(Systemd *systemd, Arena *arena, Err *err)
{
    UnitStatus status;
    int r = systemd_unit_status(systemd, arena, DUE_TIMER, &status, err);
    if (r < 0)
        return r;
    if (!str_equal(status.load_state, "loaded"))
        return err_set(err, ERR_REFUSED,
                       "a temporary change needs " DUE_TIMER " to end it, and that is %s here: install salve's units",
                       status.load_state);
    if (access(UNIT_DIR, W_OK) < 0)
        return err_set(err, ERR_REFUSED, "a temporary change needs to set " DUE_TIMER ", and %s cannot be written: %s",
                       UNIT_DIR, strerror(errno));
    return 0;
}

/* Whole seconds, rounded up: not too early. */
char *due_drop_in(Arena *arena, usec when_realtime)
{
    time_t seconds = (time_t)((when_realtime + USEC_PER_SEC - 1) / USEC_PER_SEC);
    struct tm tm = {0};
    char text[64] = "";
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
    return arena_printf(arena,
                        "# Written by salve: when the next temporary change ends (salve status).\n"
                        "[Timer]\nOnCalendar=%s\nPersistent=true\nAccuracySec=1s\n",
                        text);
}

static int write_drop_in(usec when_realtime, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (mkdir(DROP_IN_DIR, 0755) < 0 && errno != EEXIST)
        return err_errno(err, errno, "cannot make %s", DROP_IN_DIR);
    int r = files_write(DROP_IN_PATH, 0644, bytes_of(due_drop_in(arena, when_realtime)), err);
    return r < 0 ? r : files_sync_dir(UNIT_DIR, err);
}

/* 1: there was none. */
static int remove_drop_in(Err *err)
{
    if (access(DROP_IN_DIR, F_OK) < 0 && errno == ENOENT)
        return 1;
    int r = files_unlink(DROP_IN_PATH, err); /* also what a death in the middle of writing has left */
    if (r >= 0)
        rmdir(DROP_IN_DIR); /* somebody else may have a drop-in there */
    return r;
}

/* daemon-reload reads the drop-in, the restart makes the timer count anew. */
static int restart_timer(Systemd *systemd, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    JobOutcome outcome;
    int r = systemd_daemon_reload(systemd, err);
    if (r >= 0)
        r = systemd_job(systemd, arena, JOB_VERB_RESTART, DUE_TIMER, &(JobOptions){0}, &outcome, err);
    if (r >= 0 && outcome.result != JOB_DONE)
        r = err_set(err, ERR_FAILED, "cannot start %s: %s", DUE_TIMER, job_result_to_string(outcome.result));
    return r;
}

int due_arm(Systemd *systemd, usec when_realtime, Err *err)
{
    usec soon = clock_realtime() + SOON_USEC;
    bool nothing = when_realtime == USEC_INFINITY;
    int r = nothing ? remove_drop_in(err) : write_drop_in(when_realtime > soon ? when_realtime : soon, err);
    if (r == 0)
        r = restart_timer(systemd, err);
    return r < 0 ? err_prefix(err, "the timer of temporary changes") : 0;
}

int due_rearm(Systemd *systemd, Ledger *ledger, usec also, usec overdue, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    PastRunVec runs = {0};
    TemporaryVec temporaries = {0};
    int r = standing_load(ledger, arena, &runs, err);
    if (r < 0)
        return r;
    usec now = clock_realtime();
    temporaries_find(arena, &runs, now, &temporaries);
    usec next = temporaries_next(&temporaries, now, overdue);
    return due_arm(systemd, also < next ? also : next, err);
}

/* --- What a plan means for temporary changes --- */

static const char *meaning(const Temporary *temporary, const Plan *plan)
{
    if (plan->for_usec == 0)
        return "if this is kept, the temporary change does not end by itself any more (needs --make-permanent)";
    return temporary->state == TEMPORARY_GIVEN_UP ? "its end failed, and waits now for the end of this, too"
                                                  : "it waits for the end of this, then ends as well";
}

static void note(Arena *arena, const Temporary *temporary, Plan *plan)
{
    const RunRecord *run = &temporary->run->record;
    *vec_push(arena, &plan->notes) = (Note){
        .level = NOTE_WARNING,
        .subject = arena_printf(arena, "temporary change %s", run->id),
        .text = arena_printf(arena, "%s, until %s, changed the same files: %s", run->playbook,
                             usec_to_local(arena, run->until), meaning(temporary, plan)),
    };
}

void due_note(Arena *arena, const PastRunVec *runs, usec now_realtime, usec for_usec, Plan *plan)
{
    TemporaryVec temporaries = {0};
    StringVec files = {0};
    plan->for_usec = for_usec;
    VEC_EACH (edit, &plan->edits)
        *vec_push(arena, &files) = edit->path;
    temporaries_find(arena, runs, now_realtime, &temporaries);
    VEC_EACH (temporary, &temporaries) {
        bool ends = temporary->state != TEMPORARY_SUPERSEDED;
        bool undone = plan->undoes && strstr(plan->undoes, temporary->run->record.id);
        if (!ends || undone || !temporary_is_touched(runs, temporary->run, &files, plan->undoes))
            continue;
        note(arena, temporary, plan);
        if (for_usec == 0)
            plan->makes_permanent = temporary->run->record.id;
    }
}

void due_note_from(Arena *arena, Ledger *ledger, usec for_usec, Plan *plan)
{
    PastRunVec runs = {0};
    Err err;
    int r = ledger ? ledger_had_temporary(ledger, &err) : 1;
    if (r == 0)
        r = standing_load(ledger, arena, &runs, &err);
    if (r < 0)
        *vec_push(arena, &plan->notes) =
            (Note){.level = NOTE_WARNING,
                   .subject = "temporary changes",
                   .text = arena_printf(arena, "whether there are any is not known: %s", err_text(&err))};
    due_note(arena, &runs, clock_realtime(), for_usec, plan);
}

int due_check_permanent(const Plan *plan, bool allowed, Err *err)
{
    if (!plan->makes_permanent || allowed)
        return 0;
    return err_set(
        err, ERR_REFUSED,
        "temporary change %s changed the same files, and would not end by itself any more; wait for its end, "
        "take it back first (salve rollback %s), make this change temporary as well (--for), or say "
        "--make-permanent",
        plan->makes_permanent, plan->makes_permanent);
}
