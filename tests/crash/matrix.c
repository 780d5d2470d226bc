/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial.h"
#include "tree.h"
#include "world.h"

/* Allocations are many and much alike: where a recovery has them, every n-th is enough. */
enum { SHOWN_MAX = 200, SCENARIO_MAX = 16, RECOVERY_MEMORY_STRIDE = 7 };

/* How the process with the fault under test came out of it. */
static const char *const firsts[] = {"killed", "done",  "kept",  "rolled-back", "refused",
                                     "failed", "stuck", "error", "gave up",     "crashed"};

static const Fault kinds[] = {
    {.kind = FAULT_KILL_BEFORE},
    {.kind = FAULT_KILL_AFTER},
    {.kind = FAULT_ENOSPC},
    {.kind = FAULT_EIO},
    {.kind = FAULT_EROFS},
    {.kind = FAULT_ENOSPC, .lasting = true},
    {.kind = FAULT_EIO, .lasting = true},
    {.kind = FAULT_EROFS, .lasting = true},
    {.kind = FAULT_NO_MEMORY},
};

/* What became of the trials of one scenario and fault; shared by all processes. */
typedef struct Counts {
    unsigned long tried, wrong;
    unsigned long ends[RUN_STATE_COUNT + 1]; /* the last: no record */
    unsigned long firsts[ARRAY_LEN(firsts)];
} Counts;

typedef struct Table {
    Counts counts[SCENARIO_MAX][2][ARRAY_LEN(kinds)];
    unsigned shown;
} Table;

static Table *table;

static void add(unsigned long *counter, unsigned long n)
{
    __atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static size_t end_index(const char *text)
{
    int state = run_state_from_string(text);
    return state < 0 ? RUN_STATE_COUNT : (size_t)state;
}

static void tell(const Trial *trial, const Verdicts *verdicts, const Fault *tested, bool verbose)
{
    char first[64] = "";
    if (trial->recovers)
        snprintf(first, sizeof first, "killed before %lu, recovery ", trial->run.at);
    printf("%s: %s%s at %lu (%s): %s, then %s: %s\n", trial->scenario->name, first, fault_to_string(tested), tested->at,
           sim->injector.where, verdicts->first, verdicts->ended, verdicts->problem ? verdicts->problem : "well");
    if (verbose || str_equal(verdicts->first, "crashed")) /* allocations are never quite the same a second time */
        act_print_output(stdout);
    fflush(stdout);
}

/* false: there is no such point any more. */
static bool try(const Trial *trial, size_t kind, const MatrixOptions *options)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Fault *tested = trial->recovers ? &trial->recovery : &trial->run;
    Verdicts verdicts;
    trial_do(arena, trial, &verdicts);
    if (!verdicts.reached)
        return false;
    Counts *counts = &table->counts[trial->scenario - scenarios][trial->recovers][kind];
    add(&counts->tried, 1);
    add(&counts->wrong, verdicts.problem != NULL);
    add(&counts->ends[end_index(verdicts.ended)], 1);
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++)
        add(&counts->firsts[i], str_equal(firsts[i], verdicts.first));
    if (options->verbose || (verdicts.problem && __atomic_fetch_add(&table->shown, 1, __ATOMIC_RELAXED) < SHOWN_MAX))
        tell(trial, &verdicts, tested, options->verbose);
    return true;
}

static bool is_wanted(const MatrixOptions *options, size_t kind)
{
    return !options->fault || strncmp(fault_to_string(&kinds[kind]), options->fault, strlen(options->fault)) == 0;
}

/* All points of one fault: this process takes every processes-th. */
static void try_points(Trial trial, size_t kind, unsigned process, const MatrixOptions *options)
{
    Fault *tested = trial.recovers ? &trial.recovery : &trial.run;
    *tested = kinds[kind];
    unsigned long stride = options->stride;
    if (tested->kind == FAULT_NO_MEMORY)
        stride *= options->memory_stride * (trial.recovers ? RECOVERY_MEMORY_STRIDE : 1);
    unsigned long step = stride * options->processes;
    for (tested->at = options->at ? options->at : 1 + process * stride; try(&trial, kind, options);
         tested->at += step) {
        if (options->at)
            break;
    }
}

static void try_recovery(const Scenario *scenario, const MatrixOptions *options, unsigned process, unsigned long killed)
{
    Trial trial = {.scenario = scenario, .recovers = true};
    trial.run = (Fault){.kind = FAULT_KILL_BEFORE, .at = killed};
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        if (is_wanted(options, kind))
            try_points(trial, kind, process, options);
    }
}

/* Points of the run, as shares of all, at which it is killed so that its recovery can be looked at: one while it is
 * staged, the others from the first exchange to the end. */
static void try_recoveries(const Scenario *scenario, const MatrixOptions *options, unsigned process)
{
    static const double at[] = {0.30, 0.75, 0.78, 0.80, 0.84, 0.93};
    scenario_begin(scenario);
    (void)act_in_child(scenario->act);
    unsigned long all = sim->injector.reached;
    for (size_t i = 0; i < ARRAY_LEN(at); i++)
        try_recovery(scenario, options, process, (unsigned long)((double)all * at[i]));
}

static void try_run(const Scenario *scenario, const MatrixOptions *options, unsigned process)
{
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        if (is_wanted(options, kind))
            try_points((Trial){.scenario = scenario}, kind, process, options);
    }
}

static void work(const MatrixOptions *options, unsigned process)
{
    sim_create();
    world_mount(options->dir ? arena_printf(arena_new(), "%s/%u", options->dir, process) : NULL);
    scenarios_prepare();
    for (const Scenario *scenario = scenarios; scenario->name; scenario++) {
        if (options->scenario && !str_equal(options->scenario, scenario->name))
            continue;
        if (options->killed_before)
            try_recovery(scenario, options, process, options->killed_before);
        else
            try_run(scenario, options, process);
        if (!options->killed_before && !options->at)
            try_recoveries(scenario, options, process);
    }
}

/* --- The table --- */

static void print_counts(const char *const *names, const unsigned long *counts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (counts[i])
            printf(" %s %lu", names[i], counts[i]);
    }
}

static void print_row(const char *scenario, bool recovers, size_t kind, const Counts *counts)
{
    const char *ends[RUN_STATE_COUNT + 1] = {[RUN_STATE_COUNT] = "no-record"};
    for (size_t i = 0; i < RUN_STATE_COUNT; i++)
        ends[i] = run_state_to_string((RunState)i);
    printf("%-9s %-9s %-15s %5lu  at once:", scenario, recovers ? "recovery" : "run", fault_to_string(&kinds[kind]),
           counts->tried);
    print_counts(firsts, counts->firsts, ARRAY_LEN(firsts));
    printf("; in the end:");
    print_counts(ends, counts->ends, ARRAY_LEN(ends));
    if (counts->wrong)
        printf("; WRONG %lu", counts->wrong);
    printf("\n");
}

static void print_table(Tally *tally)
{
    for (size_t s = 0; scenarios[s].name; s++) {
        for (size_t recovers = 0; recovers < 2; recovers++) {
            for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
                const Counts *counts = &table->counts[s][recovers][kind];
                if (!counts->tried)
                    continue;
                print_row(scenarios[s].name, recovers == 1, kind, counts);
                tally->points += counts->tried;
                tally->wrong += counts->wrong;
                tally->passed += counts->wrong == 0;
                tally->failed += counts->wrong > 0;
            }
        }
    }
}

void matrix_run(const MatrixOptions *options, Tally *tally)
{
    table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned process = 0; process < options->processes; process++) {
        fflush(stdout);
        if (fork() == 0) {
            work(options, process);
            fflush(stdout);
            _exit(0);
        }
    }
    for (int status; wait(&status) > 0;)
        tally->failed += status != 0;
    print_table(tally);
    printf("%lu points tried, %lu wrong\n", tally->points, tally->wrong);
    munmap(table, sizeof *table);
}
