/* SPDX-License-Identifier: Apache-2.0 */
#include "soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act.h"
#include "keeper.h"
#include "judge.h"
#include "stranger.h"
#include "tree.h"
#include "world.h"

enum { WARM_RUNS = 100, SHOWN_MAX = 20 };

/* What the resident may grow by after its first runs: the ledger's page cache, and malloc's unevenness. */
#define GROWTH_MAX_BYTES (3l << 20)

/* What is done to one run. */
typedef struct Mishap {
    const char *name;
    bool killed, full, stranger, races;
} Mishap;

static const Mishap mishaps[] = {
    {"none"},
    {"none"},
    {"none"},
    {"killed", .killed = true},
    {"killed, stranger", .killed = true, .stranger = true},
    {"race, killed", .races = true, .killed = true},
    {"race, full disk", .races = true, .full = true},
    {"full disk", .full = true},
    {"stranger", .stranger = true},
    {"stranger", .stranger = true},
    {"full disk, stranger", .full = true, .stranger = true},
};

typedef struct Soak {
    uint64_t random;
    Resident resident;
    Keeper keeper;
    unsigned long wrong, ends[RUN_STATE_COUNT], strangers, tried[ARRAY_LEN(mishaps)];
    long rss_pages;
    unsigned descriptors;
} Soak;

static unsigned long draw(Soak *soak, unsigned long n)
{
    soak->random ^= soak->random << 13;
    soak->random ^= soak->random >> 7;
    soak->random ^= soak->random << 17;
    return (unsigned long)(soak->random % n);
}

/* With the wished configuration in use, a service that does not bear it could not be brought back either. */
static bool may_fail(Act act)
{
    for (size_t i = 0; i < ARRAY_LEN(sim->services); i++) {
        if (sim->services[i].uses_mark)
            return false;
    }
    return act == ACT_RUN;
}

static void set_up(Soak *soak, const Mishap *mishap, Act act)
{
    static const Knobs knobs[] = {{0}, {0}, {0}, {.new_is_sick = true}, {.new_does_not_start = true}};
    sim_forget();
    sim->knobs = may_fail(act) ? knobs[draw(soak, ARRAY_LEN(knobs))] : (Knobs){0};
    unsigned long at = 1 + draw(soak, 330);
    if (mishap->killed && !mishap->races)
        sim->injector.fault = (Fault){.kind = draw(soak, 2) ? FAULT_KILL_BEFORE : FAULT_KILL_AFTER, .at = at};
    if (mishap->full && !mishap->races)
        sim->injector.fault = (Fault){.kind = FAULT_ENOSPC, .at = at, .lasting = true};
    if (mishap->stranger) {
        sim->stranger.random = draw(soak, 1ul << 40);
        sim->stranger.at[0] = 1 + draw(soak, 330);
        sim->stranger.at[1] = draw(soak, 3) ? 0 : 1 + draw(soak, 330);
        stranger_send();
    }
    if (mishap->races) {
        sim->stranger.random = draw(soak, 1ul << 40);
        stranger_race(mishap->full ? (Fault){.kind = FAULT_ENOSPC, .lasting = true}
                                   : (Fault){.kind = FAULT_KILL_AFTER});
    }
}

/* As systemd would be used by whoever looks after this host: everything runs what lies on disk. */
static void look_after(void)
{
    sim->knobs = (Knobs){0};
    if (services_disagree(world_root()))
        services_restart(world_root());
}

static bool is_changed(Arena *arena)
{
    Bytes content;
    Err err;
    return files_load(arena, arena_printf(arena, "%s%s", world_root(), WORLD_ENV), SIM_TEXT, &content, &err) == 0 &&
           strstr(content.data, WORLD_WISHED_ENV);
}

static const char *recover(Arena *arena, const Judge *judge, Row *row)
{
    Err err;
    sim->injector.fault = (Fault){0};
    sim->injector.stranger = NULL;
    if (act_in_child(ACT_RECOVER) != ACT_ENDED)
        return "the recovery did not end";
    if (!judge_read_row(judge, row, &err))
        return arena_printf(arena, "the ledger cannot be read: %s", err_text(&err));
    if (!row->known || row->state != RUN_STUCK)
        return NULL;
    if (sim->deed_count == 0)
        return "it is stuck, and nobody else was there";
    sim->knobs = (Knobs){0};
    if (act_in_child(ACT_AGAIN) != ACT_ENDED || !judge_read_row(judge, row, &err) || row->state == RUN_STUCK)
        return arena_printf(arena, "it stays stuck: %s", sim->outcome.text);
    return NULL;
}

/* What was told of the end is what is recorded of it, though the ledger may have been filled in later. */
static const char *judge_end_told(Arena *arena, RunState told, const Row *row)
{
    if (!row->known || row->state == told || !run_state_terminal(told) || told == RUN_STUCK)
        return NULL;
    return arena_printf(arena, "it ended %s, and the ledger says %s", run_state_to_string(told),
                        run_state_to_string(row->state));
}

static const char *one_run(Soak *soak, Arena *arena, const Mishap *mishap)
{
    Row row;
    Err err;
    Act act = is_changed(arena) && draw(soak, 4) ? ACT_UNDO : ACT_RUN;
    Judge judge = {.arena = arena, .runs_before = SIZE_MAX};
    if (!judge_read_row(&judge, &row, &err))
        return arena_printf(arena, "the ledger cannot be read: %s", err_text(&err));
    judge.runs_before = row.runs;
    const char *before = tree_print(arena, world_root(), true);
    set_up(soak, mishap, act);
    ActEnd end = mishap->killed ? act_in_child(act) : act_in_resident(&soak->resident, act);
    if (end != ACT_ENDED && end != ACT_KILLED)
        return "it crashed";
    RunState told = sim->outcome.done && sim->outcome.r == 0 ? sim->outcome.state : RUN_PLANNED;
    const char *problem = recover(arena, &judge, &row);
    if (!problem)
        problem = judge_end_told(arena, told, &row);
    soak->strangers += sim->deed_count;
    if (row.known)
        soak->ends[row.state]++;
    if (!problem)
        problem = keeper_judge_sides(arena, before, &row);
    if (!problem && mishap->races)
        problem = keeper_judge_race(arena);
    if (!problem)
        problem = keeper_judge_bytes(&soak->keeper, arena);
    if (!problem && sim->deed_count == 0)
        problem = services_disagree(world_root());
    look_after();
    return problem;
}

static void show(const char *name, unsigned long number, const char *problem)
{
    printf("run %lu (%s): %s\n", number, name, problem);
    for (size_t i = 0; i < sim->deed_count; i++)
        printf("    somebody else: %s, %u\n", sim->deeds[i].path, sim->deeds[i].tag);
    act_print_output(stdout);
    fflush(stdout);
}

/* The resident is compared with itself after its first runs. */
static void judge_resident(const Soak *soak, Tally *tally)
{
    long grown = (sim->resident.rss_pages - soak->rss_pages) * sysconf(_SC_PAGESIZE);
    bool leaks = sim->resident.descriptors != soak->descriptors;
    printf("the process that carried the runs: %u descriptors, then %u; memory %ld KiB, then %ld KiB more\n",
           soak->descriptors, sim->resident.descriptors, soak->rss_pages * sysconf(_SC_PAGESIZE) / 1024, grown / 1024);
    tally->passed += (unsigned long)(!leaks) + (grown <= GROWTH_MAX_BYTES);
    tally->failed += (unsigned long)leaks + (grown > GROWTH_MAX_BYTES);
}

static void print_ends(const Soak *soak, unsigned long runs)
{
    printf("%lu runs, %lu edits by somebody else, %lu wrong; ended:", runs, soak->strangers, soak->wrong);
    for (size_t i = 0; i < RUN_STATE_COUNT; i++) {
        if (soak->ends[i])
            printf(" %s %lu", run_state_to_string((RunState)i), soak->ends[i]);
    }
    printf("\n");
}

static unsigned long long seed_of(const SoakOptions *options)
{
    unsigned long long seed = options->seed ? options->seed : clock_realtime();
    printf("soak: seed %llu\n", seed);
    fflush(stdout);
    return seed;
}

void soak_run(const SoakOptions *options, Tally *tally)
{
    sim_create();
    world_mount(options->dir);
    world_make();
    sim_forget();
    Soak soak = {.random = seed_of(options) * 2654435761u + 1, .keeper = keeper_new()};
    act_reside(&soak.resident);
    for (unsigned long i = 1; i <= options->runs; i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        size_t which = draw(&soak, ARRAY_LEN(mishaps));
        act_forget_output();
        const char *problem = one_run(&soak, arena, &mishaps[which]);
        if (!problem && i > WARM_RUNS && sim->resident.descriptors != soak.descriptors)
            problem = "the process that carries the runs has another number of descriptors open";
        if (problem && soak.wrong++ < SHOWN_MAX)
            show(mishaps[which].name, i, problem);
        if (i == WARM_RUNS || i == 1) {
            soak.rss_pages = sim->resident.rss_pages;
            soak.descriptors = sim->resident.descriptors;
        }
    }
    act_dismiss(&soak.resident);
    print_ends(&soak, options->runs);
    judge_resident(&soak, tally);
    tally->passed += soak.wrong == 0;
    tally->failed += soak.wrong > 0;
    keeper_free(&soak.keeper);
}
