/* SPDX-License-Identifier: Apache-2.0 */
#include "run/originals.h"

#include "base/cleanup.h"
#include "base/files-at.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "store/way-back.h"

static const char *hash_text(Arena *arena, const FileState *state)
{
    Hash hash;
    file_state_hash(state, &hash);
    return hash_to_hex(arena, hash);
}

int originals_record(Run *run, const char *commit, const char *intent, Err *err)
{
    StringVec paths = {0};
    WayBack way_back = {.intent = intent};
    VEC_EACH (edit, run->swap.edits) {
        *vec_push(run->arena, &paths) = edit->path;
        *vec_push(run->arena, &way_back.files) = (WayBackFile){
            .path = edit->path,
            .before = hash_text(run->arena, &edit->before),
            .after = hash_text(run->arena, &edit->after),
        };
    }
    return ledger_set_snapshot(run->store->ledger, run->record.id, commit, &paths, &way_back, err);
}

/* Takes the state for the sides that it is. */
static void recognize(Arena *arena, const WayBackFile *file, const FileState *state, Edit *edit, bool known[2])
{
    const char *hash = hash_text(arena, state);
    if (!known[0] && str_equal(hash, file->before)) {
        edit->before = *state;
        known[0] = true;
    }
    if (!known[1] && str_equal(hash, file->after)) {
        edit->after = *state;
        known[1] = true;
    }
}

/* First by what is live, and by absence: directories are known then, and with them where dot files are. */
static int look_at_live(Run *run, const WayBack *way_back, EditVec *edits, bool (*known)[2], Err *err)
{
    const FileState absent = {.type = FILE_ABSENT, .content = BYTES("")};
    for (size_t i = 0; i < way_back->files.n; i++) {
        const WayBackFile *file = &way_back->files.items[i];
        Edit *edit = vec_push(run->arena, edits);
        FileState live;
        *edit = (Edit){.path = file->path, .before = absent, .after = absent};
        int r = file_read(run->arena, run->swap.root, file->path, &live, err);
        if (r < 0)
            return r;
        recognize(run->arena, file, &absent, edit, known[i]);
        recognize(run->arena, file, &live, edit, known[i]);
    }
    return 0;
}

static int look_beside(Run *run, const WayBack *way_back, EditVec *edits, bool (*known)[2], Err *err)
{
    const SwapSet set = {.root = run->swap.root, .run_id = run->record.id, .edits = edits};
    for (size_t i = 0; i < edits->n; i++) {
        const WayBackFile *file = &way_back->files.items[i];
        FileState dot;
        const char *place = "";
        int r = swap_dot_state(run->arena, &set, &edits->items[i], &dot, &place, err);
        if (r < 0)
            return r;
        recognize(run->arena, file, &dot, &edits->items[i], known[i]);
        if (!known[i][0])
            return err_set(err, ERR_STUCK, "the original of %s is neither there nor at %s", file->path, place);
        /* Without `after` whatever is live counts as somebody else's, and is kept. */
    }
    return 0;
}

int originals_load(Run *run, Snapshot *ret, Err *err)
{
    WayBack way_back;
    Snapshot snapshot = {.run_id = run->record.id};
    int r = way_back_read(run->store->ledger, run->arena, run->record.id, &way_back, err);
    if (r != 0)
        return r < 0 ? r : err_set(err, ERR_STUCK, "the ledger does not know the originals of run %s", run->record.id);
    bool(*known)[2] = (bool(*)[2])arena_alloc(run->arena, (way_back.files.n + 1) * sizeof *known);
    snapshot.intent = way_back.intent;
    r = look_at_live(run, &way_back, &snapshot.edits, known, err);
    if (r >= 0)
        r = look_beside(run, &way_back, &snapshot.edits, known, err);
    if (r >= 0)
        *ret = snapshot;
    return r;
}

/* Where the dot files of a path lie: the nearest directory above it that the run does not edit itself. */
static const char *dot_dir_of(Arena *arena, const StringVec *paths, const char *path)
{
    const char *dir, *name;
    do {
        path_split(arena, path, &dir, &name);
        path = dir;
    } while (!str_equal(dir, "/") && strings_contain(paths, dir));
    return dir;
}

char *originals_command(Arena *arena, const StringVec *paths)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(64 * 1024);
    StringVec dirs = {0};
    VEC_EACH (path, paths) {
        const char *dir = dot_dir_of(arena, paths, *path);
        if (!strings_contain(&dirs, dir))
            *vec_push(arena, &dirs) = dir;
    }
    strbuf_add_str(&text, "find");
    VEC_EACH (dir, &dirs) {
        strbuf_add_char(&text, ' ');
        strbuf_add_shell_word(&text, *dir);
    }
    strbuf_add_str(&text, dirs.n ? " -maxdepth 1" : " / -not -path '/proc/*'");
    strbuf_add_str(&text, " -name '.*.salve-*'");
    return strbuf_dup(arena, &text);
}

char *originals_hint(Run *run)
{
    StringVec paths = {0};
    WayBack way_back;
    Err ignored; /* a ledger that does not know: then everywhere */
    if (way_back_read(run->store->ledger, run->arena, run->record.id, &way_back, &ignored) == 0) {
        VEC_EACH (file, &way_back.files)
            *vec_push(run->arena, &paths) = file->path;
    }
    return originals_command(run->arena, &paths);
}
