/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <string.h>
#include <unistd.h>

#include "sim.h"
#include "store/git.h"
#include "store/ledger.h"
#include "tree.h"
#include "world.h"

static const char *state_path(Arena *arena, const char *name)
{
    return arena_printf(arena, "%s%s/%s", world_root(), WORLD_STATE, name);
}

static int read_row(const Judge *judge, Row *ret, RunRecord *ret_run, Err *err)
{
    CLEANUP(ledger_close) Ledger *ledger = NULL;
    RunRecordVec runs = {0};
    *ret = (Row){0};
    int r = ledger_open(arena_printf(judge->arena, "%s%s", world_root(), WORLD_STATE), LEDGER_READ, &ledger, err);
    if (r != 0)
        return r < 0 ? r : 0;
    r = ledger_list(ledger, judge->arena, 0, &runs, err);
    if (r < 0)
        return r;
    ret->runs = runs.n;
    if (runs.n > judge->runs_before) {
        *ret_run = runs.items[0];
        ret->known = true;
        ret->state = ret_run->state;
    }
    return 0;
}

bool judge_read_row(const Judge *judge, Row *ret, Err *err)
{
    RunRecord run;
    return read_row(judge, ret, &run, err) >= 0;
}

Side judge_side(const Judge *judge, bool dots)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *now = tree_print(arena, world_root(), dots);
    return str_equal(now, judge->sides[SIDE_OLD])   ? SIDE_OLD
           : str_equal(now, judge->sides[SIDE_NEW]) ? SIDE_NEW
                                                    : SIDE_MIXED;
}

/* Lines of the tree that are on neither side, for the message. */
static const char *describe_mix(const Judge *judge, bool dots)
{
    char *text = arena_strdup(judge->arena, tree_print(judge->arena, world_root(), dots)), *save = NULL;
    const char *odd = "";
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        bool old = strstr(judge->sides[SIDE_OLD], line), new = strstr(judge->sides[SIDE_NEW], line);
        if (!old || !new)
            odd = arena_printf(judge->arena, "%s\n        %s%s", odd, line, old ? " (old)" : new ? " (new)" : "");
    }
    return arena_printf(judge->arena, "the files are neither old nor new:%s", odd);
}

static const char *judge_tag(const Judge *judge, const char *run_id)
{
    CLEANUP(repo_close) Repo *repo = NULL;
    char commit[65];
    Err err;
    if (repo_open(state_path(judge->arena, "snapshots.git"), false, &repo, &err) != 0 ||
        repo_ref(repo, arena_printf(judge->arena, "refs/tags/kept/%s", run_id), commit, &err) != 0)
        return "the kept run has no tag";
    return NULL;
}

static const char *judge_ledger(const Judge *judge, Side side)
{
    Row row;
    RunRecord run;
    Err err;
    if (read_row(judge, &row, &run, &err) < 0)
        return arena_printf(judge->arena, "the ledger cannot be read: %s", err_text(&err));
    if (row.runs > judge->runs_before + 1)
        return "the run is in the ledger twice";
    if (!row.known)
        return side == SIDE_OLD ? NULL : "the files are new, and the ledger knows no run";
    bool old = row.state == RUN_REFUSED || row.state == RUN_ROLLED_BACK || row.state == RUN_FAILED;
    if ((side == SIDE_NEW && row.state != RUN_KEPT) || (side == SIDE_OLD && !old))
        return arena_printf(judge->arena, "the files are %s, and the ledger says %s", side == SIDE_OLD ? "old" : "new",
                            run_state_to_string(row.state));
    return side == SIDE_NEW ? judge_tag(judge, run.id) : NULL;
}

/* Nothing in the state directory that does not belong there. */
static const char *judge_state_dir(const Judge *judge)
{
    static const char *const known[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "snapshots.git", "lock", "run"};
    StringVec names = tree_list(judge->arena, world_root(), WORLD_STATE);
    VEC_EACH (path, &names) {
        const char *name = strrchr(*path, '/') + 1;
        bool fine = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            fine = fine || str_equal(name, known[i]);
        if (!fine)
            return arena_printf(judge->arena, "%s is left", *path);
    }
    return NULL;
}

const char *judge_files(const Judge *judge)
{
    if (judge_side(judge, false) == SIDE_MIXED)
        return describe_mix(judge, false);
    return services_disagree(world_root());
}

const char *judge_end(const Judge *judge)
{
    Side side = judge_side(judge, true);
    if (side == SIDE_MIXED)
        return describe_mix(judge, true);
    const char *problem = services_disagree(world_root());
    if (!problem)
        problem = judge_ledger(judge, side);
    if (!problem)
        problem = judge_state_dir(judge);
    return problem;
}
