/* SPDX-License-Identifier: Apache-2.0 */
/* What a story is told with: an act on the simulated host in which something goes wrong at a chosen instant, and what
 * may be seen afterwards. */
#pragma once

#include "act.h"
#include "judge.h"

/* NULL, or what is wrong. */
typedef const char *StoryTold(Arena *arena);

#define EXPECT(...)                                                                                                    \
    if (!(__VA_ARGS__))                                                                                                \
    return arena_printf(arena, "%s:%d: not so: %s; it ended: %s", strrchr(__FILE__, (char)47) + 1, __LINE__,           \
                        #__VA_ARGS__, sim->outcome.text)

/* A fault at the operations whose path holds `path`: below /etc/ from the first job on, where `activated` says so. */
typedef struct Aim {
    const char *operation; /* NULL: any */
    const char *path;
    FaultKind kind;
    bool activated;
    unsigned times; /* 0: once */
} Aim;
enum { ALWAYS = 1000000 };

#define AT(...) ((const Aim){__VA_ARGS__})

/* Puts the host where that scenario starts. */
void story_begin(Arena *arena, const char *scenario);
/* The act with up to two faults; whether it came to an end of its own. */
bool story_act(Act act, const Aim *first, const Aim *second);
/* The run of the scenario, killed while only a part of its files is exchanged; or behind `kept`. */
bool story_dies_while_applying(void);
bool story_dies_when_kept(const char *at);
/* Whether the last act was killed, and whether its first fault struck at all. */
bool story_was_killed(void);
bool story_was_struck(void);

/* Below the simulated host's root. */
const char *story_path(Arena *arena, const char *path);
bool story_exists(Arena *arena, const char *path);
const char *story_read(Arena *arena, const char *path);
void story_write(Arena *arena, const char *path, const char *content);
/* The act; reading the file fails in it, so often. */
bool story_reads_badly(Arena *arena, Act act, const char *path, unsigned times, const Aim *aim);
/* The act is killed when it reads the file. */
bool story_dies_of_reading(Arena *arena, Act act, const char *path);
/* Whether a name in the state directory begins so. */
bool story_has_state(Arena *arena, const char *prefix);

/* The newest run of the ledger. */
RunRecord story_newest(Arena *arena);
/* All runs, a line each: id, state and commit. */
const char *story_runs(Arena *arena);
/* The files are on that side, dot files included; for SIDE_OLD and SIDE_NEW also: they run, and nothing is hot. */
bool story_is(Arena *arena, Side side);
