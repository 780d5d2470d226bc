/* SPDX-License-Identifier: Apache-2.0 */
/* Stories of state that is damaged, gone, or not to be read. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "story.h"
#include "store/hot.h"
#include "tree.h"
#include "world.h"

#define LEDGER WORLD_STATE "/ledger.db"
#define HOT    WORLD_STATE "/hot"
#define GIT    WORLD_STATE "/snapshots.git"

static const char garbage[] = "what a bad disk gives back\n";

/* Most of it may be in its log. */
static void spoil_ledger(Arena *arena)
{
    story_write(arena, LEDGER, garbage);
    story_write(arena, LEDGER "-wal", garbage);
}

StoryTold a_run_that_was_kept_stays_kept_where_its_ledger_cannot_be_made_anew,
    a_run_that_was_kept_stays_kept_with_a_ledger_from_a_backup, a_run_whose_tag_cannot_be_read_is_left_alone,
    one_error_of_a_snapshot_makes_no_run_stuck, a_recovery_that_dies_of_what_it_reads_is_not_made_for_ever,
    a_recovery_that_could_not_read_leaves_the_way_back_in_the_hot_file,
    a_hot_file_that_lost_its_commit_is_still_the_way_back,
    a_run_that_cannot_be_proved_without_a_ledger_wakes_nobody_each_time, originals_that_cannot_be_read_are_tried_again,
    a_run_that_was_kept_stays_kept_without_its_ledger, a_damaged_ledger_and_a_damaged_hot_file_leave_no_mixed_host,
    a_damaged_hot_file_beside_a_lost_ledger_is_for_a_person, a_rebuild_that_is_cut_short_is_taken_up,
    a_ledger_that_is_gone_is_made_anew, one_error_while_the_snapshots_are_opened_costs_none,
    snapshots_that_cannot_be_read_are_not_thrown_away, snapshots_that_are_none_are_set_aside_and_the_run_is_put_back,
    a_ledger_that_cannot_be_read_stops_no_recovery, a_run_that_the_ledger_lost_is_put_back_on_a_full_disk,
    a_run_whose_ledger_is_damaged_is_put_back_on_a_full_disk, a_hot_file_that_cannot_be_read_is_no_damaged_one,
    a_run_that_is_kept_and_rolled_back_is_for_a_person, a_run_without_ledger_and_hot_file_is_known_by_its_files;

const char *a_damaged_ledger_and_a_damaged_hot_file_leave_no_mixed_host(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    spoil_ledger(arena);
    story_write(arena, HOT, garbage);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL));
    EXPECT(story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *a_damaged_hot_file_beside_a_lost_ledger_is_for_a_person(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_when_kept(".salve-"));
    spoil_ledger(arena);
    story_write(arena, HOT, garbage);
    for (int i = 0; i < 3; i++) {
        EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == -ERR_STUCK);
        EXPECT(story_exists(arena, HOT) && strstr(sim->outcome.text, "compare the newest snapshot"));
    }
    unlink(story_path(arena, HOT));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(!story_exists(arena, WORLD_STATE "/rebuild") && story_newest(arena).state == RUN_KEPT);
    return NULL;
}

/* Its tag says so. */
const char *a_run_that_was_kept_stays_kept_without_its_ledger(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_when_kept(".salve-"));
    spoil_ledger(arena);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_is(arena, SIDE_NEW) && story_newest(arena).state == RUN_KEPT);
    return NULL;
}

static void lose_ledger(Arena *arena)
{
    unlink(story_path(arena, LEDGER));
    unlink(story_path(arena, LEDGER "-wal"));
    unlink(story_path(arena, LEDGER "-shm"));
}

/* Whether the first run was kept cannot be read. */
const char *a_run_that_was_kept_stays_kept_where_its_ledger_cannot_be_made_anew(Arena *arena)
{
    story_begin(arena, "kept");
    const char *first = tree_list(arena, world_root(), GIT "/refs/tags/kept").items[0];
    EXPECT(story_dies_when_kept(".salve-"));
    const char *before = story_runs(arena);
    spoil_ledger(arena);
    EXPECT(story_reads_badly(arena, ACT_RECOVER, first, ALWAYS, NULL) && story_was_struck());
    EXPECT(sim->outcome.r < 0 && story_is(arena, SIDE_NEW));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_is(arena, SIDE_NEW) && str_equal(story_runs(arena), before));
    return NULL;
}

/* --- The ledger is made anew --- */

const char *a_ledger_that_is_gone_is_made_anew(Arena *arena)
{
    story_begin(arena, "undo");
    const char *before = story_runs(arena);
    lose_ledger(arena);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(str_equal(story_runs(arena), before));
    return NULL;
}

/* At each operation, and then once more. */
/* The originals beside its files tell that it was under way. */
const char *a_run_without_ledger_and_hot_file_is_known_by_its_files(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    lose_ledger(arena);
    EXPECT(unlink(story_path(arena, HOT)) == 0);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

static const char *cut_short(Arena *arena, void (*lose)(Arena *arena))
{
    story_begin(arena, "undo");
    const char *before = story_runs(arena);
    for (unsigned long at = 1;; at++) {
        story_begin(arena, "undo");
        lose(arena);
        sim->injector = (Injector){.fault = {.kind = FAULT_KILL_BEFORE, .at = at}};
        if (act_in_child(ACT_RECOVER) == ACT_ENDED)
            break;
        EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
        const char *after = story_runs(arena);
        if (!str_equal(after, before))
            return arena_printf(arena, "killed at %lu, the ledger says:\n%sinstead of:\n%s", at, after, before);
        EXPECT(!story_exists(arena, WORLD_STATE "/rebuild"));
    }
    EXPECT(str_equal(story_runs(arena), before));
    return NULL;
}

const char *a_rebuild_that_is_cut_short_is_taken_up(Arena *arena)
{
    const char *problem = cut_short(arena, spoil_ledger);
    return problem ? problem : cut_short(arena, lose_ledger);
}

/* --- Snapshots --- */

/* libgit2 makes anew what it cannot open: that fails, too. */
#define NO_NEW_ONE &AT(NULL, GIT "/", FAULT_EIO, .times = ALWAYS)

const char *one_error_while_the_snapshots_are_opened_costs_none(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    EXPECT(story_reads_badly(arena, ACT_RECOVER, GIT "/HEAD", 1, NO_NEW_ONE) && story_was_struck());
    EXPECT(!story_has_state(arena, "snapshots.git.damaged"));
    EXPECT(story_is(arena, SIDE_OLD));
    return NULL;
}

const char *snapshots_that_cannot_be_read_are_not_thrown_away(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    EXPECT(story_reads_badly(arena, ACT_RECOVER, GIT "/HEAD", ALWAYS, NO_NEW_ONE) && story_was_struck());
    EXPECT(sim->outcome.r < 0 && !story_has_state(arena, "snapshots.git.damaged"));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    return NULL;
}

const char *snapshots_that_are_none_are_set_aside_and_the_run_is_put_back(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    EXPECT(rename(story_path(arena, GIT "/objects"), story_path(arena, GIT "/lost")) == 0);
    story_write(arena, GIT "/objects", garbage);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_has_state(arena, "snapshots.git.damaged"));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *originals_that_cannot_be_read_are_tried_again(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    EXPECT(rename(story_path(arena, GIT "/objects"), story_path(arena, GIT "/lost")) == 0);
    EXPECT(mkdir(story_path(arena, GIT "/objects"), 0700) == 0);
    EXPECT(story_reads_badly(arena, ACT_RECOVER, WORLD_ENV, 1, NULL) && story_was_struck());
    EXPECT(story_newest(arena).state == RUN_APPLYING);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

static bool hide_objects(Arena *arena)
{
    return rename(story_path(arena, GIT "/objects"), story_path(arena, GIT "/lost")) == 0 &&
           mkdir(story_path(arena, GIT "/objects"), 0700) == 0;
}

const char *one_error_of_a_snapshot_makes_no_run_stuck(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    RunRecord run = story_newest(arena);
    const char *original = tree_list(arena, world_root(), "/etc/site").items[0];
    EXPECT(strstr(original, ".salve-") && unlink(story_path(arena, original)) == 0);
    const char *object = arena_printf(arena, GIT "/objects/%.2s/%s", run.commit, run.commit + 2);
    EXPECT(story_reads_badly(arena, ACT_RECOVER, object, ALWAYS, NULL) && story_was_struck());
    EXPECT(story_newest(arena).state == RUN_APPLYING);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *a_recovery_that_dies_of_what_it_reads_is_not_made_for_ever(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying() && hide_objects(arena));
    for (unsigned i = 1; i <= 5; i++)
        EXPECT(story_dies_of_reading(arena, ACT_RECOVER, WORLD_ENV) && story_newest(arena).state == RUN_APPLYING);
    EXPECT(!story_dies_of_reading(arena, ACT_RECOVER, WORLD_ENV) && story_newest(arena).state == RUN_STUCK);
    EXPECT(story_act(ACT_AGAIN, NULL, NULL) && story_is(arena, SIDE_OLD));
    return NULL;
}

/* --- The hot run and its ledger --- */

const char *a_recovery_that_could_not_read_leaves_the_way_back_in_the_hot_file(Arena *arena)
{
    Hot hot;
    Err err;
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying() && hide_objects(arena));
    EXPECT(story_reads_badly(arena, ACT_RECOVER, WORLD_ENV, 1, NULL) && story_was_struck());
    EXPECT(hot_read(story_path(arena, WORLD_STATE), &hot, &err) == 0 && hot.attempts == 1);
    EXPECT(str_equal(hot.commit, story_newest(arena).commit));
    return NULL;
}

const char *a_ledger_that_cannot_be_read_stops_no_recovery(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    EXPECT(story_reads_badly(arena, ACT_RECOVER, LEDGER, ALWAYS, NULL) && story_was_struck());
    EXPECT(story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

static void copy_ledger(Arena *arena, const char *from, const char *to)
{
    static const char *const parts[] = {LEDGER, LEDGER "-wal"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        Bytes content = BYTES("");
        Err err;
        if (files_load(arena, story_path(arena, arena_printf(arena, "%s%s", parts[i], from)), 64 << 20, &content,
                       &err) == 0)
            world_write(story_path(arena, arena_printf(arena, "%s%s", parts[i], to)), content);
    }
}

/* As from a backup: it knows other runs, and not this one. */
static bool is_forgotten(Arena *arena, bool kept)
{
    copy_ledger(arena, "", ".old");
    bool died = kept ? story_dies_when_kept(".salve-") : story_dies_while_applying();
    lose_ledger(arena);
    copy_ledger(arena, ".old", "");
    return died;
}

const char *a_run_that_the_ledger_lost_is_put_back_on_a_full_disk(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(is_forgotten(arena, false));
    sim->injector = (Injector){.fault = {.kind = FAULT_ENOSPC, .at = 1, .lasting = true}};
    act_in_child(ACT_RECOVER);
    EXPECT(!story_is(arena, SIDE_MIXED));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *a_run_that_was_kept_stays_kept_with_a_ledger_from_a_backup(Arena *arena)
{
    story_begin(arena, "kept");
    unsigned long runs = strlen(story_runs(arena));
    EXPECT(is_forgotten(arena, true) && strlen(story_runs(arena)) == runs);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_is(arena, SIDE_NEW) && story_newest(arena).state == RUN_KEPT);
    EXPECT(story_newest(arena).commit && str_equal(story_newest(arena).playbook, "give-time.yaml"));
    return NULL;
}

const char *a_run_whose_tag_cannot_be_read_is_left_alone(Arena *arena)
{
    Hot hot;
    Err err;
    story_begin(arena, "kept");
    EXPECT(is_forgotten(arena, true) && hot_read(story_path(arena, WORLD_STATE), &hot, &err) == 0);
    const char *tag = arena_printf(arena, GIT "/refs/tags/kept/%s", hot.run_id);
    EXPECT(story_reads_badly(arena, ACT_RECOVER, tag, ALWAYS, NULL) && story_was_struck());
    EXPECT(sim->outcome.r < 0 && sim->injector.managed == 0 && sim->jobs == 0 && story_exists(arena, HOT));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_is(arena, SIDE_NEW) && story_newest(arena).state == RUN_KEPT);
    return NULL;
}

/* As salve before wrote it, where it could not read what to put back. */
const char *a_hot_file_that_lost_its_commit_is_still_the_way_back(Arena *arena)
{
    Hot hot;
    Err err;
    story_begin(arena, "kept");
    EXPECT(is_forgotten(arena, false) && hot_read(story_path(arena, WORLD_STATE), &hot, &err) == 0);
    hot.commit[0] = '\0';
    EXPECT(hot_write(story_path(arena, WORLD_STATE), &hot, &err) == 0);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == 0);
    EXPECT(story_is(arena, SIDE_OLD) && story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

/* Where there is no room for a ledger, each recovery is the first to find out. */
const char *a_run_that_cannot_be_proved_without_a_ledger_wakes_nobody_each_time(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    spoil_ledger(arena);
    sim->cries = 0;
    for (unsigned i = 1; i <= 7; i++) {
        EXPECT(story_act(ACT_RECOVER, &AT(NULL, "ledger.db", FAULT_ENOSPC, .times = ALWAYS),
                         &AT("exchange", "/etc/", FAULT_EROFS, .times = ALWAYS)));
        EXPECT(sim->outcome.r < 0 && strstr(sim->outcome.text, "no new one can be begun"));
    }
    EXPECT(sim->cries == 0);
    return NULL;
}

const char *a_run_whose_ledger_is_damaged_is_put_back_on_a_full_disk(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_while_applying());
    spoil_ledger(arena);
    sim->injector = (Injector){.fault = {.kind = FAULT_ENOSPC, .at = 1, .lasting = true}};
    act_in_child(ACT_RECOVER);
    EXPECT(!story_is(arena, SIDE_MIXED));
    EXPECT(sim->outcome.r < 0 && strstr(sim->outcome.text, "no new one can be begun"));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_OLD));
    EXPECT(story_newest(arena).state == RUN_ROLLED_BACK);
    return NULL;
}

const char *a_hot_file_that_cannot_be_read_is_no_damaged_one(Arena *arena)
{
    story_begin(arena, "kept");
    EXPECT(story_dies_when_kept("refs/tags/kept/"));
    EXPECT(story_reads_badly(arena, ACT_RECOVER, HOT, ALWAYS, NULL) && story_was_struck());
    EXPECT(sim->outcome.r == -ERR_FAILED && story_exists(arena, HOT));
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && story_is(arena, SIDE_NEW));
    EXPECT(story_exists(arena, arena_printf(arena, GIT "/refs/tags/kept/%s", story_newest(arena).id)));
    return NULL;
}

/* A COMMIT of `kept` that failed, was rolled back, and came to life behind a reboot. */
const char *a_run_that_is_kept_and_rolled_back_is_for_a_person(Arena *arena)
{
    Hot hot;
    Err err;
    story_begin(arena, "kept");
    EXPECT(story_dies_when_kept("refs/tags/kept/"));
    EXPECT(hot_read(story_path(arena, WORLD_STATE), &hot, &err) == 0);
    hot.phase = HOT_ROLLED_BACK;
    EXPECT(hot_write(story_path(arena, WORLD_STATE), &hot, &err) == 0);
    EXPECT(story_act(ACT_RECOVER, NULL, NULL) && sim->outcome.r == -ERR_STUCK);
    EXPECT(strstr(sim->outcome.text, "was kept, but it was rolled back"));
    EXPECT(story_exists(arena, HOT));
    return NULL;
}
