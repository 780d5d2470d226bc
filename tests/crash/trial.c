/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <string.h>

#include "tree.h"
#include "world.h"

static bool kills(const Fault *fault)
{
    return fault->kind == FAULT_KILL_BEFORE || fault->kind == FAULT_KILL_AFTER;
}

const char *fault_to_string(const Fault *fault)
{
    static const char *const names[2][FAULT_KIND_COUNT] = {
        {"none", "kill before", "kill after", "ENOSPC once", "EIO once", "EROFS once"},
        {"none", "kill before", "kill after", "ENOSPC lasting", "EIO lasting", "EROFS lasting"},
    };
    return names[fault->lasting][fault->kind];
}

static void act_with(Act act, Fault fault)
{
    sim->injector = (Injector){.fault = fault};
    (void)act_in_child(act);
}

static const char *how_it_ended(void)
{
    if (!sim->outcome.done)
        return "killed";
    if (sim->outcome.r < 0)
        return sim->outcome.kind == ERR_STUCK ? "stuck" : "error";
    return sim->outcome.state == RUN_PLANNED ? "done" : run_state_to_string(sim->outcome.state);
}

static bool is_stuck(const Judge *judge)
{
    Row row;
    Err err;
    return judge_read_row(judge, &row, &err) && row.known && row.state == RUN_STUCK;
}

/* Nothing is left to be done: then nothing is done. */
static const char *judge_repetition(const Judge *judge)
{
    unsigned long jobs = sim->jobs;
    act_with(ACT_RECOVER, (Fault){0});
    if (sim->injector.managed > 0)
        return "a second recover touches managed files";
    if (sim->jobs != jobs)
        return "a second recover touches services";
    return judge_end(judge);
}

static const char *go_to_the_end(const Judge *judge, bool may_be_stuck)
{
    act_with(ACT_RECOVER, (Fault){0});
    if (may_be_stuck && is_stuck(judge))
        act_with(ACT_AGAIN, (Fault){0});
    const char *problem = judge_end(judge);
    if (!problem)
        problem = judge_repetition(judge);
    if (!problem && sim->mixed[0])
        problem = arena_printf(judge->arena, "a mixed configuration was made to run: %s", sim->mixed);
    return problem;
}

/* While the disk stays full: the files come back without a byte of room, in the run itself and in a recovery. */
static const char *judge_full_disk(const Judge *judge)
{
    act_with(ACT_RECOVER, (Fault){.kind = FAULT_ENOSPC, .at = 1, .lasting = true});
    const char *problem = judge_files(judge);
    return problem ? arena_printf(judge->arena, "recovery on the full disk: %s", problem) : NULL;
}

void trial_do(Arena *arena, const Trial *trial, Verdicts *ret)
{
    const Fault *tested = trial->recovers ? &trial->recovery : &trial->run;
    scenario_begin(trial->scenario);
    Judge judge = scenario_judge(arena, trial->scenario);
    Verdicts verdicts = {0};
    act_with(trial->scenario->act, trial->run);
    if (trial->recovers)
        act_with(ACT_RECOVER, trial->recovery);
    verdicts.reached = sim->injector.where[0] != '\0';
    char where[sizeof sim->injector.where];
    memcpy(where, sim->injector.where, sizeof where);
    verdicts.first = how_it_ended();
    bool full = tested->kind == FAULT_ENOSPC && tested->lasting;
    if (verdicts.reached && full)
        verdicts.problem = judge_full_disk(&judge);
    if (verdicts.reached && !verdicts.problem)
        verdicts.problem = go_to_the_end(&judge, !kills(tested));
    if (verdicts.reached && !kills(tested) && str_equal(verdicts.first, "killed"))
        verdicts.problem = "it died of the error";
    Row row;
    Err err;
    bool known = judge_read_row(&judge, &row, &err) && row.known;
    verdicts.ended = known ? run_state_to_string(row.state) : "no record";
    memcpy(sim->injector.where, where, sizeof where);
    *ret = verdicts;
}
