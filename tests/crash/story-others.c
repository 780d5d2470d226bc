/* SPDX-License-Identifier: Apache-2.0 */
/* Stories of others at work at the same time, of the next run, and of errors that pass or stay. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "story.h"
#include "world.h"

#define HOT WORLD_STATE "/hot"

StoryTold what_somebody_wrote_between_the_halves_is_a_conflict,
    what_somebody_applied_again_between_the_halves_is_put_back,
    what_somebody_wrote_between_the_halves_goes_where_the_host_is_not_well_with_it,
    what_a_run_left_is_not_forgotten_for_the_next, a_shutdown_is_not_blamed_on_the_plan,
    a_run_that_is_cancelled_when_it_was_verified_is_rolled_back, a_run_that_nobody_could_confirm_does_not_begin,
    recovery_on_a_full_disk_says_what_it_did, the_fifth_recovery_that_fails_makes_a_run_stuck,
    a_rollback_meets_a_passing_error_and_goes_on;
StoryTold what_keeps_systemd_away_is_not_theirs, a_conflict_that_must_go_is_put_back_in_spite_of_a_passing_error,
    the_fifth_recovery_that_does_not_reach_systemd_makes_a_run_stuck,
    a_rollback_that_does_not_reach_systemd_is_left_to_the_recovery,
    a_service_that_others_restart_is_not_blamed_on_the_plan;

/* --- Between the boot half of a recovery and the other --- */

static const char *restore_at_boot(Arena *arena)
{
    EXPECT(story_act(ACT_RESTORE, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_newest(arena).state == RUN_RESTORED && story_exists(arena, HOT));
    return NULL;
}

const char *what_somebody_wrote_between_the_halves_is_a_conflict(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    const char *problem = restore_at_boot(arena);
    if (problem)
        return problem;
    const char *theirs = arena_printf(arena, "%s# theirs\n", story_read(arena, WORLD_ENV));
    story_write(arena, WORLD_ENV, theirs);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    EXPECT(strstr(story_newest(arena).reason, "conflict: " WORLD_ENV));
    EXPECT(str_equal(story_read(arena, WORLD_ENV), theirs) && !services_disagree(world_root()));
    return NULL;
}

const char *what_somebody_applied_again_between_the_halves_is_put_back(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    const char *after = story_read(arena, WORLD_ENV);
    EXPECT(strstr(after, WORLD_WISHED_ENV));
    const char *problem = restore_at_boot(arena);
    if (problem)
        return problem;
    story_write(arena, WORLD_ENV, after);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    EXPECT(story_is(arena, SIDE_OLD));
    return NULL;
}

const char *what_somebody_wrote_between_the_halves_goes_where_the_host_is_not_well_with_it(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    const char *after = story_read(arena, WORLD_ENV);
    const char *problem = restore_at_boot(arena);
    if (problem)
        return problem;
    story_write(arena, WORLD_ENV, arena_printf(arena, "%s# theirs\n", after));
    sim->knobs.new_does_not_start = true;
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    EXPECT(story_is(arena, SIDE_OLD));
    EXPECT(
        story_exists(arena, arena_printf(arena, WORLD_STATE "/snapshots.git/refs/foreign/%s", story_newest(arena).id)));
    return NULL;
}

/* --- The next run --- */

const char *what_a_run_left_is_not_forgotten_for_the_next(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_when_kept("refs/tags/kept/"));
    EXPECT(story_act(ACT_UNDO, &AT("unlink", ".salve-", FAULT_EIO), NULL) && story_was_struck());
    EXPECT(sim->outcome.r < 0 && sim->outcome.kind == ERR_REFUSED);
    EXPECT(strstr(sim->outcome.text, "left beside its files") && story_exists(arena, HOT));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_is(arena, SIDE_NEW));
    return NULL;
}

/* --- What is asked of a run --- */

const char *a_shutdown_is_not_blamed_on_the_plan(Arena *arena)
{
    story_begin(arena, "no-start");
    sim->knobs.host_shuts_down = true;
    EXPECT(story_act(ACT_RUN, NULL, NULL) && sim->outcome.state == RUN_RESTORED && !sim->outcome.blamed);
    sim->knobs.host_shuts_down = false;
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK && !story_newest(arena).blamed);
    return NULL;
}

const char *a_run_that_is_cancelled_when_it_was_verified_is_rolled_back(Arena *arena)
{
    story_begin(arena, "kept");
    sim->knobs.cancelled_when_verified = true;
    EXPECT(story_act(ACT_RUN, NULL, NULL) && sim->outcome.state == RUN_ROLLED_BACK);
    EXPECT(str_equal(sim->outcome.text, "cancelled") && story_is(arena, SIDE_OLD));
    return NULL;
}

const char *a_run_that_nobody_could_confirm_does_not_begin(Arena *arena)
{
    story_begin(arena, "kept");
    const char *before = story_runs(arena);
    sim->knobs.asks_where_nobody_can = true;
    EXPECT(story_act(ACT_RUN, NULL, NULL) && sim->outcome.r < 0);
    EXPECT(strstr(sim->outcome.text, "nobody could confirm the run"));
    EXPECT(sim->injector.managed == 0 && sim->jobs == 0 && str_equal(story_runs(arena), before));
    return NULL;
}

/* --- Errors --- */

/* Runs until the log begins anew: then it has room for what follows. */
static bool log_has_room(Arena *arena)
{
    struct stat before = {0}, after = {0};
    for (int i = 0; i < 50 && (i == 0 || after.st_size != before.st_size); i++) {
        before = after;
        story_act(i % 2 ? ACT_UNDO : ACT_RUN, NULL, NULL);
        if (sim->outcome.state != RUN_KEPT || stat(story_path(arena, WORLD_STATE "/ledger.db-wal"), &after) < 0)
            return false;
    }
    return after.st_size == before.st_size;
}

/* Without ledger.db-shm, for which there is no room: then the ledger is opened by one process alone. */
const char *recovery_on_a_full_disk_says_what_it_did(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(log_has_room(arena));
    if (story_is(arena, SIDE_NEW))
        story_act(ACT_UNDO, NULL, NULL);
    EXPECT(story_dies_while_applying());
    EXPECT(unlink(story_path(arena, WORLD_STATE "/ledger.db-shm")) == 0);
    sim->injector = (Injector){.fault = {.kind = FAULT_ENOSPC, .at = 1, .lasting = true}};
    EXPECT(act_in_child(ACT_UNATTENDED) == ACT_ENDED);
    EXPECT(story_is(arena, SIDE_OLD) && story_newest(arena).state == RUN_ROLLED_BACK);
    EXPECT(sim->outcome.r == 0);
    return NULL;
}

const char *the_fifth_recovery_that_fails_makes_a_run_stuck(Arena *arena)
{
    const Aim no_exchange = AT("exchange", "/etc/", FAULT_EROFS, .times = ALWAYS);
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    for (unsigned i = 1; i <= 5; i++) {
        EXPECT(story_act(ACT_RECOVER, &no_exchange, NULL) && sim->outcome.r == -ERR_STUCK);
        EXPECT(story_exists(arena, HOT) && story_newest(arena).state == (i < 5 ? RUN_ROLLING_BACK : RUN_STUCK));
    }
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_newest(arena).state == RUN_STUCK);
    EXPECT(story_act(ACT_AGAIN, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *a_rollback_meets_a_passing_error_and_goes_on(Arena *arena)
{
    story_begin(arena, "sick");
    EXPECT(story_act(ACT_RUN, &AT("exchange", WORLD_ENV, FAULT_EIO, .activated = true), NULL) && story_was_struck());
    EXPECT(sim->outcome.state == RUN_ROLLED_BACK && story_is(arena, SIDE_OLD));
    return NULL;
}

/* --- systemd --- */

const char *what_keeps_systemd_away_is_not_theirs(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    const char *problem = restore_at_boot(arena);
    if (problem)
        return problem;
    const char *theirs = arena_printf(arena, "%s# theirs\n", story_read(arena, WORLD_ENV));
    story_write(arena, WORLD_ENV, theirs);
    sim->knobs.systemd_is_deaf = true;
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_newest(arena).state == RUN_RESTORED);
    EXPECT(str_equal(story_read(arena, WORLD_ENV), theirs));
    sim->knobs.systemd_is_deaf = false;
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_newest(arena).state == RUN_ROLLED_BACK);
    EXPECT(str_equal(story_read(arena, WORLD_ENV), theirs) && !services_disagree(world_root()));
    return NULL;
}

const char *a_conflict_that_must_go_is_put_back_in_spite_of_a_passing_error(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    const char *after = story_read(arena, WORLD_ENV);
    const char *problem = restore_at_boot(arena);
    if (problem)
        return problem;
    story_write(arena, WORLD_ENV, arena_printf(arena, "%s# theirs\n", after));
    sim->knobs.new_does_not_start = true;
    EXPECT(story_act(ACT_RECOVER, &AT("exchange", WORLD_ENV, FAULT_EIO, .activated = true), NULL));
    EXPECT(story_was_struck() && story_newest(arena).state == RUN_ROLLED_BACK && story_is(arena, SIDE_OLD));
    return NULL;
}

const char *the_fifth_recovery_that_does_not_reach_systemd_makes_a_run_stuck(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    sim->knobs.systemd_is_deaf = true;
    for (unsigned i = 1; i <= 5; i++) {
        EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == -ERR_STUCK);
        EXPECT(story_newest(arena).state == (i < 5 ? RUN_RESTORED : RUN_STUCK));
    }
    sim->knobs.systemd_is_deaf = false;
    EXPECT(story_act(ACT_AGAIN, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *a_rollback_that_does_not_reach_systemd_is_left_to_the_recovery(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_act(ACT_RUN, NULL, NULL) && sim->outcome.state == RUN_KEPT);
    unsigned long jobs = sim->jobs;
    story_begin(arena, "sick");
    sim->knobs.systemd_is_deaf = true;
    sim->knobs.deaf_after = jobs;
    EXPECT(story_act(ACT_RUN, NULL, NULL) && sim->outcome.state == RUN_RESTORED && sim->outcome.blamed);
    sim->knobs.systemd_is_deaf = false;
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *a_service_that_others_restart_is_not_blamed_on_the_plan(Arena *arena)
{
    story_begin(arena, "kept");
    sim->knobs.others_restart = true;
    EXPECT(story_act(ACT_RUN, NULL, NULL) && sim->outcome.state == RUN_RESTORED && !sim->outcome.blamed);
    EXPECT(!story_newest(arena).blamed);
    sim->knobs.others_restart = false;
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}
