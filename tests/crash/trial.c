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
        {"none", "kill before", "kill after", "ENOSPC once", "EIO once", "EROFS once", "no memory"},
        {"none", "kill before", "kill after", "ENOSPC lasting", "EIO lasting", "EROFS lasting", "no memory"},
    };
    return names[fault->lasting][fault->kind];
}

static ActEnd act_with(Act act, Fault fault)
{
    sim->injector = (Injector){.fault = fault};
    return act_in_child(act);
}

static const char *how_it_ended(ActEnd end)
{
    static const char *const names[] = {[ACT_KILLED] = "killed", [ACT_GAVE_UP] = "gave up", [ACT_CRASHED] = "crashed"};
    if (end != ACT_ENDED)
        return names[end];
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

/* As after a power cut: the first half, before there is anything to activate. */
static const char *boot(const Judge *judge)
{
    ActEnd end = act_with(ACT_RESTORE, (Fault){0});
    if (end != ACT_ENDED || sim->outcome.r < 0)
        return arena_printf(judge->arena, "recover --restore fails: %s", sim->outcome.text);
    return judge_side(judge, false) == SIDE_MIXED ? "recover --restore leaves the files mixed" : NULL;
}

static const char *go_to_the_end(const Judge *judge, bool person_may_help)
{
    act_with(ACT_RECOVER, (Fault){0});
    if (person_may_help && is_stuck(judge))
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

/* A process may only end as its fault wants it, and does not claim what is not so. */
static const char *judge_process(const Judge *judge, const Trial *trial, const Fault *tested, ActEnd end)
{
    bool good = end == ACT_ENDED && sim->outcome.r == 0 && (trial->recovers || sim->outcome.state == RUN_KEPT);
    if (good && judge_files(judge))
        return arena_printf(judge->arena, "it says that all is well, yet %s", judge_files(judge));
    if (end == ACT_CRASHED)
        return "it crashed";
    if (end == ACT_KILLED && !kills(tested))
        return "it was killed by an error";
    return end == ACT_GAVE_UP && tested->kind != FAULT_NO_MEMORY ? "it gave up" : NULL;
}

/* Errors that pass are tried again: only a run's own rollback may end so, while they last. */
static bool may_be_stuck(const Trial *trial, const Fault *tested)
{
    return tested->kind == FAULT_NO_MEMORY || (tested->lasting && !trial->recovers);
}

static const char *judge_all(const Judge *judge, const Trial *trial, const Fault *tested, ActEnd end)
{
    const char *problem = judge_process(judge, trial, tested, end);
    if (!problem && tested->kind == FAULT_ENOSPC && tested->lasting)
        problem = judge_full_disk(judge);
    if (!problem && kills(tested) && tested->at % 2 == 0) /* every second time, the host boots first */
        problem = boot(judge);
    return problem ? problem : go_to_the_end(judge, may_be_stuck(trial, tested));
}

/* Whatever the fault was: once it is over, the host takes the next run, there or back. */
static const char *judge_next_run(const Judge *judge, const Trial *trial)
{
    bool undoes = trial->scenario->act == ACT_UNDO;
    bool changed = judge_side(judge, true) == (undoes ? SIDE_OLD : SIDE_NEW);
    Act next = changed ? ACT_UNDO : ACT_RUN;
    sim->knobs = (Knobs){0};
    sim->skew += 2 * USEC_PER_SEC; /* the ids of runs tell which came first */
    ActEnd end = act_with(next, (Fault){0});
    Side wanted = changed == undoes ? SIDE_NEW : SIDE_OLD;
    if (end != ACT_ENDED || sim->outcome.r < 0 || sim->outcome.state != RUN_KEPT)
        return arena_printf(judge->arena, "the next run (%s) does not work: %s: %s", act_to_string(next),
                            how_it_ended(end), sim->outcome.text);
    if (judge_side(judge, true) != wanted)
        return arena_printf(judge->arena, "the next run (%s) was kept, and the files are not as it wishes",
                            act_to_string(next));
    return services_disagree(world_root());
}

static const char *final_state(const Judge *judge)
{
    Row row;
    Err err;
    return judge_read_row(judge, &row, &err) && row.known ? run_state_to_string(row.state) : "no record";
}

void trial_do(Arena *arena, const Trial *trial, Verdicts *ret)
{
    const Fault *tested = trial->recovers ? &trial->recovery : &trial->run;
    char where[sizeof sim->injector.where];
    scenario_begin(trial->scenario);
    Judge judge = scenario_judge(arena, trial->scenario);
    ActEnd end = act_with(trial->scenario->act, trial->run);
    if (trial->recovers)
        end = act_with(ACT_RECOVER, trial->recovery);
    memcpy(where, sim->injector.where, sizeof where);
    *ret = (Verdicts){.reached = where[0] != '\0', .first = how_it_ended(end)};
    if (ret->reached)
        ret->problem = judge_all(&judge, trial, tested, end);
    ret->ended = final_state(&judge);
    if (ret->reached && !ret->problem)
        ret->problem = judge_next_run(&judge, trial);
    memcpy(sim->injector.where, where, sizeof where);
}
