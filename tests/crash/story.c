/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "scenario.h"
#include "store/ledger.h"
#include "tree.h"
#include "world.h"

static Judge judge;
static Aim aims[2];
static ActEnd last_end;

void story_begin(Arena *arena, const char *name)
{
    const Scenario *scenario = scenarios;
    while (!str_equal(scenario->name, name))
        scenario++;
    act_forget_output();
    scenario_begin(scenario);
    sim->skew += 2 * USEC_PER_SEC;
    judge = scenario_judge(arena, scenario);
}

/* --- Faults --- */

static bool is_aimed_at(const Aim *aim, const char *operation, const char *path)
{
    return aim->path && aim->times > 0 && strstr(path, aim->path) &&
           (!aim->operation || str_equal(aim->operation, operation)) && (!aim->activated || sim->jobs > 0);
}

static void strike(const char *operation, const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(aims); i++) {
        if (is_aimed_at(&aims[i], operation, path)) {
            aims[i].times--;
            sim->injector.fault = (Fault){.kind = aims[i].kind, .at = sim->injector.reached + 1};
            return;
        }
    }
}

bool story_act(Act act, const Aim *first, const Aim *second)
{
    const Aim *const given[] = {first, second};
    ino_t unreadable = sim->injector.unreadable;
    unsigned times = sim->injector.unreadable_times;
    bool kills = sim->injector.unreadable_kills;
    for (size_t i = 0; i < ARRAY_LEN(aims); i++) {
        aims[i] = given[i] ? *given[i] : (Aim){0};
        aims[i].times = given[i] && given[i]->times ? given[i]->times : 1;
    }
    sim->jobs = 0;
    sim->injector =
        (Injector){.stranger = strike, .unreadable = unreadable, .unreadable_times = times, .unreadable_kills = kills};
    last_end = act_in_child(act);
    sim->injector.unreadable_times = 0;
    sim->injector.unreadable_kills = false;
    return last_end == ACT_ENDED;
}

bool story_reads_badly(Arena *arena, Act act, const char *path, unsigned times, const Aim *aim)
{
    struct stat st = {0};
    if (stat(story_path(arena, path), &st) < 0)
        return false;
    sim->injector.unreadable = st.st_ino;
    sim->injector.unreadable_times = times;
    return story_act(act, aim, NULL);
}

bool story_dies_of_reading(Arena *arena, Act act, const char *path)
{
    sim->injector.unreadable_kills = true;
    story_reads_badly(arena, act, path, 1, NULL);
    return story_was_killed();
}

bool story_was_killed(void)
{
    return last_end == ACT_KILLED;
}

bool story_was_struck(void)
{
    return sim->injector.where[0] != '\0';
}

bool story_dies_while_applying(void)
{
    story_act(ACT_RUN, &AT("exchange", WORLD_ENV, FAULT_KILL_AFTER), NULL);
    return story_was_killed() && judge_side(&judge, false) == SIDE_MIXED;
}

bool story_dies_when_kept(const char *at)
{
    story_act(ACT_RUN, &AT(NULL, at, FAULT_KILL_BEFORE, .activated = true), NULL);
    return story_was_killed() && judge_side(&judge, false) == SIDE_NEW;
}

/* --- What is there --- */

const char *story_path(Arena *arena, const char *path)
{
    return arena_printf(arena, "%s%s", world_root(), path);
}

bool story_exists(Arena *arena, const char *path)
{
    return faccessat(AT_FDCWD, story_path(arena, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

const char *story_read(Arena *arena, const char *path)
{
    Bytes content = BYTES("");
    Err err;
    return files_load(arena, story_path(arena, path), SIM_TEXT, &content, &err) == 0 ? content.data : "";
}

void story_write(Arena *arena, const char *path, const char *content)
{
    world_write(story_path(arena, path), bytes_of(content));
}

bool story_has_state(Arena *arena, const char *prefix)
{
    StringVec names = tree_list(arena, world_root(), WORLD_STATE);
    VEC_EACH (path, &names) {
        if (str_starts(strrchr(*path, '/') + 1, prefix))
            return true;
    }
    return false;
}

static RunRecordVec read_runs(Arena *arena)
{
    CLEANUP(ledger_close) Ledger *ledger = NULL;
    RunRecordVec runs = {0};
    Err err;
    if (ledger_open(story_path(arena, WORLD_STATE), LEDGER_READ, &ledger, &err) == 0 &&
        ledger_list(ledger, arena, 0, &runs, &err) < 0)
        fprintf(stderr, "crash-sim: %s\n", err_text(&err));
    return runs;
}

RunRecord story_newest(Arena *arena)
{
    RunRecordVec runs = read_runs(arena);
    RunRecord none = {.id = "", .reason = ""};
    if (runs.n == 0)
        return none;
    RunRecord newest = runs.items[0];
    newest.reason = newest.reason ? newest.reason : "";
    return newest;
}

const char *story_runs(Arena *arena)
{
    RunRecordVec runs = read_runs(arena);
    const char *text = "";
    VEC_EACH (run, &runs)
        text = arena_printf(arena, "%s%s %s %s\n", text, run->id, run_state_to_string(run->state),
                            run->commit ? run->commit : "without a snapshot");
    return text;
}

bool story_is(Arena *arena, Side side)
{
    if (judge_side(&judge, side != SIDE_MIXED) != side)
        return false;
    return side == SIDE_MIXED || (!services_disagree(world_root()) && !story_exists(arena, WORLD_STATE "/hot"));
}
