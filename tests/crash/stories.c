/* SPDX-License-Identifier: Apache-2.0 */
#include "stories.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"
#include "story.h"
#include "world.h"

/* A name is what must hold. */
#define STORIES(X)                                                                                                     \
    X(a_damaged_ledger_and_a_damaged_hot_file_leave_no_mixed_host)                                                     \
    X(a_damaged_hot_file_beside_a_lost_ledger_is_for_a_person)                                                         \
    X(a_run_without_ledger_and_hot_file_is_known_by_its_files)                                                         \
    X(a_run_that_was_kept_stays_kept_without_its_ledger)                                                               \
    X(a_rebuild_that_is_cut_short_is_taken_up)                                                                         \
    X(a_ledger_that_is_gone_is_made_anew)                                                                              \
    X(one_error_while_the_snapshots_are_opened_costs_none)                                                             \
    X(snapshots_that_cannot_be_read_are_not_thrown_away)                                                               \
    X(snapshots_that_are_none_are_set_aside_and_the_run_is_put_back)                                                   \
    X(originals_that_cannot_be_read_are_tried_again)                                                                   \
    X(a_ledger_that_cannot_be_read_stops_no_recovery)                                                                  \
    X(a_run_that_the_ledger_lost_is_put_back_on_a_full_disk)                                                           \
    X(a_run_whose_ledger_is_damaged_is_put_back_on_a_full_disk)                                                        \
    X(a_hot_file_that_cannot_be_read_is_no_damaged_one)                                                                \
    X(a_run_that_is_kept_and_rolled_back_is_for_a_person)                                                              \
    X(a_run_that_was_kept_stays_kept_where_its_ledger_cannot_be_made_anew)                                             \
    X(a_run_that_was_kept_stays_kept_with_a_ledger_from_a_backup)                                                      \
    X(a_run_whose_tag_cannot_be_read_is_left_alone)                                                                    \
    X(one_error_of_a_snapshot_makes_no_run_stuck)                                                                      \
    X(a_recovery_that_dies_of_what_it_reads_is_not_made_for_ever)                                                      \
    X(a_recovery_that_could_not_read_leaves_the_way_back_in_the_hot_file)                                              \
    X(a_hot_file_that_lost_its_commit_is_still_the_way_back)                                                           \
    X(a_run_that_cannot_be_proved_without_a_ledger_wakes_nobody_each_time)                                             \
    X(what_somebody_wrote_between_the_halves_is_a_conflict)                                                            \
    X(what_somebody_applied_again_between_the_halves_is_put_back)                                                      \
    X(what_somebody_wrote_between_the_halves_goes_where_the_host_is_not_well_with_it)                                  \
    X(what_a_run_left_is_not_forgotten_for_the_next)                                                                   \
    X(a_shutdown_is_not_blamed_on_the_plan)                                                                            \
    X(a_run_that_is_cancelled_when_it_was_verified_is_rolled_back)                                                     \
    X(a_run_that_nobody_could_confirm_does_not_begin)                                                                  \
    X(recovery_on_a_full_disk_says_what_it_did)                                                                        \
    X(the_fifth_recovery_that_fails_makes_a_run_stuck)                                                                 \
    X(a_rollback_meets_a_passing_error_and_goes_on)                                                                    \
    X(what_keeps_systemd_away_is_not_theirs)                                                                           \
    X(a_conflict_that_must_go_is_put_back_in_spite_of_a_passing_error)                                                 \
    X(the_fifth_recovery_that_does_not_reach_systemd_makes_a_run_stuck)                                                \
    X(a_rollback_that_does_not_reach_systemd_is_left_to_the_recovery)                                                  \
    X(a_service_that_others_restart_is_not_blamed_on_the_plan)

#define DECLARE(name) StoryTold name;
STORIES(DECLARE)

static const struct {
    const char *name;
    StoryTold *tell;
} stories[] = {
#define ROW(name) {#name, name},
    STORIES(ROW)};

static void tell_all(const char *only, bool verbose, Tally *tally)
{
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        if (only && !str_equal(only, stories[i].name))
            continue;
        const char *problem = stories[i].tell(arena);
        tally->passed += problem == NULL;
        tally->failed += problem != NULL;
        if (problem || verbose) {
            printf("%s: %s\n", stories[i].name, problem ? problem : "well");
            act_print_output(stdout);
        }
    }
}

static void work(const char *only, const char *dir, bool verbose, Tally *tally)
{
    sim_create();
    world_mount(dir);
    scenarios_prepare();
    tell_all(only, verbose, tally);
}

/* In a process of its own, with which its mounts go. */
void stories_run(const char *only, const char *dir, bool verbose, Tally *tally)
{
    int status = 1;
    Tally *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work(only, dir, verbose, told);
        fflush(stdout);
        _exit(0);
    }
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
    printf("%lu stories ended well, %lu did not\n", told->passed, told->failed);
    tally->passed += told->passed;
    tally->failed += told->failed + (unsigned long)(!ended || told->passed + told->failed == 0);
    munmap(told, sizeof *told);
}
