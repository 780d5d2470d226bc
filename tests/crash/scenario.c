/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"
#include "world.h"

/* `fresh`: nothing ever ran. `seasoned`: some runs lie behind, the files are as in `fresh`. `changed`: the run under
 * test has been kept. */
const Scenario scenarios[] = {
    {"first", "fresh", ACT_RUN, {0}, RUN_KEPT},
    {"kept", "seasoned", ACT_RUN, {0}, RUN_KEPT},
    {"sick", "seasoned", ACT_RUN, {.new_is_sick = true}, RUN_ROLLED_BACK},
    {"no-start", "seasoned", ACT_RUN, {.new_does_not_start = true}, RUN_ROLLED_BACK},
    {"broken", "seasoned", ACT_RUN, {.candidate_is_broken = true}, RUN_REFUSED},
    {"undo", "changed", ACT_UNDO, {0}, RUN_KEPT},
    {NULL},
};

/* tree_print of the host before and after the run under test. */
static const char *plain, *wished;

static void must_end(Act act, Knobs knobs, RunState state)
{
    sim_forget();
    sim->knobs = knobs;
    sim->skew += 2 * USEC_PER_SEC; /* the ids of runs tell which came first */
    ActEnd end = act_in_child(act);
    const char *wrong = services_disagree(world_root());
    if (end == ACT_ENDED && sim->outcome.r == 0 && sim->outcome.state == state && !wrong)
        return;
    act_print_output(stderr);
    fprintf(stderr, "crash-sim: %s without any fault should end %s: %s\n", act_to_string(act),
            run_state_to_string(state), wrong ? wrong : sim->outcome.text);
    exit(2);
}

void scenarios_prepare(void)
{
    static Arena *arena;
    arena = arena_new();
    world_make();
    plain = tree_print(arena, world_root(), true);
    world_save("fresh");
    must_end(ACT_RUN, (Knobs){0}, RUN_KEPT);
    wished = tree_print(arena, world_root(), true);
    must_end(ACT_UNDO, (Knobs){0}, RUN_KEPT);
    must_end(ACT_RUN, (Knobs){.new_is_sick = true}, RUN_ROLLED_BACK);
    world_save("seasoned");
    must_end(ACT_RUN, (Knobs){0}, RUN_KEPT);
    world_save("changed");
}

void scenario_begin(const Scenario *scenario)
{
    world_load(scenario->world);
    sim_forget();
    sim->knobs = scenario->knobs;
    act_forget_output();
}

Judge scenario_judge(Arena *arena, const Scenario *scenario)
{
    bool back = scenario->act == ACT_UNDO;
    Judge judge = {.arena = arena, .sides = {back ? wished : plain, back ? plain : wished}, .runs_before = SIZE_MAX};
    Row row;
    Err err;
    if (!judge_read_row(&judge, &row, &err)) {
        fprintf(stderr, "crash-sim: %s\n", err_text(&err));
        exit(2);
    }
    judge.runs_before = row.runs;
    for (size_t i = 0; i < 2; i++)
        snprintf(sim->sides[i], sizeof sim->sides[i], "%s",
                 hash_to_hex(arena, hash_of(judge.sides[i], strlen(judge.sides[i]))));
    return judge;
}
