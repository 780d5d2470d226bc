/* SPDX-License-Identifier: Apache-2.0 */
#include "store/snapshot.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "data/json.h"
#include "store/base64.h"

enum { FORMAT = 1, MANIFEST_MAX = 4 << 20 };

/* --- Writing --- */

/* Names are for people: those of this host's own users, since asking for all may ask the network, and a rollback must
 * not wait for it. */
static const char *user_name(Arena *arena, uid_t uid)
{
    FILE *users = fopen("/etc/passwd", "re");
    const struct passwd *entry = NULL;
    while (users && (entry = fgetpwent(users)) && entry->pw_uid != uid)
        ;
    const char *name = arena_strdup(arena, entry ? entry->pw_name : NULL);
    if (users)
        fclose(users);
    return name;
}

static const char *group_name(Arena *arena, gid_t gid)
{
    FILE *groups = fopen("/etc/group", "re");
    const struct group *entry = NULL;
    while (groups && (entry = fgetgrent(groups)) && entry->gr_gid != gid)
        ;
    const char *name = arena_strdup(arena, entry ? entry->gr_name : NULL);
    if (groups)
        fclose(groups);
    return name;
}

static Node *state_to_node(Arena *arena, const FileState *state)
{
    Node *node = node_map(arena);
    node_set_text(arena, node, "type", file_type_to_string(state->type));
    if (state->type == FILE_ABSENT)
        return node;
    node_set_int(arena, node, "uid", state->uid);
    node_set_int(arena, node, "gid", state->gid);
    node_set_text(arena, node, "user", user_name(arena, state->uid));
    node_set_text(arena, node, "group", group_name(arena, state->gid));
    node_set_text(arena, node, "mode", arena_printf(arena, "%04o", (unsigned)state->mode));
    if (state->type == FILE_SYMLINK)
        node_set_text(arena, node, "target", state->content.data);
    if (state->type != FILE_DIRECTORY) {
        node_set_int(arena, node, "size", (int64_t)state->content.len);
        node_set_text(arena, node, "sha256", hash_to_hex(arena, hash_of(state->content.data, state->content.len)));
    }
    Node *xattrs = node_set(arena, node, "xattrs", node_map(arena));
    VEC_EACH (xattr, &state->xattrs)
        node_set_text(arena, xattrs, xattr->name, base64_encode(arena, xattr->value));
    return node;
}

static bool has_bytes(const FileState *state)
{
    return state->type == FILE_REGULAR || state->type == FILE_SYMLINK;
}

static const char *blob_name(Arena *arena, const char *side, size_t index)
{
    return arena_printf(arena, "%s/%zu", side, index);
}

static void add_bytes(Arena *arena, RepoFileVec *files, const char *side, size_t index, const FileState *state)
{
    if (has_bytes(state))
        *vec_push(arena, files) = (RepoFile){blob_name(arena, side, index), state->content};
}

/* The manifest and all blobs. */
static RepoFileVec files_of(Arena *arena, const char *run_id, const char *intent, const EditVec *edits)
{
    RepoFileVec files = {0};
    Node *manifest = node_map(arena);
    node_set_int(arena, manifest, "salve_snapshot", FORMAT);
    node_set_text(arena, manifest, "run", run_id);
    Node *list = node_set(arena, manifest, "edits", node_seq(arena));
    for (size_t i = 0; i < edits->n; i++) {
        const Edit *edit = &edits->items[i];
        Node *entry = node_add(arena, list, node_map(arena));
        node_set_text(arena, entry, "path", edit->path);
        node_set(arena, entry, "before", state_to_node(arena, &edit->before));
        node_set(arena, entry, "after", state_to_node(arena, &edit->after));
        add_bytes(arena, &files, "before", i, &edit->before);
        add_bytes(arena, &files, "after", i, &edit->after);
    }
    char *text = arena_printf(arena, "%s\n", json_to_string(arena, manifest, JSON_PRETTY));
    *vec_push(arena, &files) = (RepoFile){"manifest", bytes_of(text)};
    *vec_push(arena, &files) = (RepoFile){"intent", bytes_of(intent)};
    return files;
}

static int check_storable(const EditVec *edits, Err *err)
{
    VEC_EACH (edit, edits) {
        if (edit->before.type == FILE_OTHER || edit->after.type == FILE_OTHER)
            return err_set(err, ERR_REFUSED, "%s is a device, FIFO or socket and cannot be snapshotted", edit->path);
    }
    return 0;
}

int snapshot_write(Repo *repo, const char *run_id, const char *intent, const EditVec *edits, char ret_commit[65],
                   Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    int r = check_storable(edits, err);
    if (r < 0)
        return r;
    CLEANUP(strbuf_free) StrBuf message = STRBUF_INIT(64 * 1024);
    strbuf_printf(&message, "run %s\n\n", run_id);
    VEC_EACH (edit, edits)
        strbuf_printf(&message, "%s: %s -> %s\n", edit->path, file_type_to_string(edit->before.type),
                      file_type_to_string(edit->after.type));
    const RepoFileVec files = files_of(arena, run_id, intent, edits);
    return repo_commit(repo, arena_printf(arena, "refs/runs/%s", run_id), strbuf_str(&message), clock_realtime(),
                       &files, ret_commit, err);
}

/* --- Reading --- */

typedef struct Reader {
    Repo *repo;
    Arena *arena;
    const char *commit;
} Reader;

static int raise_unsound(const Reader *reader, const char *what, Err *err)
{
    return err_set(err, ERR_FAILED, "the snapshot %.12s is not sound: %s", reader->commit, what);
}

static bool parse_type(const char *text, FileType *ret)
{
    for (FileType type = FILE_ABSENT; type <= FILE_DIRECTORY; type++) {
        if (str_equal(text, file_type_to_string(type))) {
            *ret = type;
            return true;
        }
    }
    return false;
}

static bool parse_numbers(const Node *node, FileState *state)
{
    int64_t uid, gid;
    const char *mode = node_get_text(node, "mode");
    char *end = NULL;
    if (!node_to_int(node_get(node, "uid"), &uid) || !node_to_int(node_get(node, "gid"), &gid) || !mode || uid < 0 ||
        gid < 0 || uid > UINT32_MAX || gid > UINT32_MAX)
        return false;
    unsigned long bits = strtoul(mode, &end, 8);
    state->uid = (uid_t)uid;
    state->gid = (gid_t)gid;
    state->mode = (mode_t)(bits & 07777);
    return end != mode && !*end && bits <= 07777;
}

static bool parse_xattrs(Arena *arena, const Node *node, XattrVec *ret)
{
    const Node *map = node_get(node, "xattrs");
    if (!map || map->kind != NODE_MAP)
        return false;
    VEC_EACH (pair, &map->pairs) {
        Bytes value;
        if (pair->value->kind != NODE_SCALAR || !base64_decode(arena, pair->value->text, &value))
            return false;
        *vec_push(arena, ret) = (Xattr){pair->key->text, value};
    }
    return true;
}

static int read_content(const Reader *reader, const Node *node, const char *blob, Bytes *ret, Err *err)
{
    int r = repo_read(reader->repo, reader->arena, reader->commit, blob, ret, err);
    if (r != 0)
        return r < 0 ? r : raise_unsound(reader, arena_printf(reader->arena, "%s is missing", blob), err);
    const char *hex = hash_to_hex(reader->arena, hash_of(ret->data, ret->len));
    if (!str_equal(hex, node_get_text(node, "sha256")))
        return raise_unsound(reader, arena_printf(reader->arena, "%s does not have its sha256", blob), err);
    return 0;
}

static int read_state(const Reader *reader, const Node *node, const char *blob, FileState *ret, Err *err)
{
    FileState state = {.content = BYTES("")};
    if (!parse_type(node_get_text(node, "type"), &state.type))
        return raise_unsound(reader, "a type in its manifest is not known", err);
    if (state.type != FILE_ABSENT &&
        (!parse_numbers(node, &state) || !parse_xattrs(reader->arena, node, &state.xattrs)))
        return raise_unsound(reader, "an owner, mode or attribute in its manifest cannot be read", err);
    int r = has_bytes(&state) ? read_content(reader, node, blob, &state.content, err) : 0;
    if (r == 0)
        *ret = state;
    return r;
}

static int read_edit(const Reader *reader, const Node *node, size_t index, Edit *ret, Err *err)
{
    Edit edit = {.path = node_get_text(node, "path")};
    if (!edit.path)
        return raise_unsound(reader, "a path is missing in its manifest", err);
    int r = read_state(reader, node_get(node, "before"), blob_name(reader->arena, "before", index), &edit.before, err);
    if (r == 0)
        r = read_state(reader, node_get(node, "after"), blob_name(reader->arena, "after", index), &edit.after, err);
    if (r == 0)
        *ret = edit;
    return r;
}

static int read_manifest(const Reader *reader, Node **ret, Err *err)
{
    Bytes text;
    int r = repo_read(reader->repo, reader->arena, reader->commit, "manifest", &text, err);
    if (r != 0)
        return r;
    int64_t format = 0;
    if (text.len > MANIFEST_MAX)
        return raise_unsound(reader, "its manifest is too large", err);
    if ((r = json_parse(reader->arena, "manifest", text, ret, err)) < 0)
        return err_prefix(err, "the snapshot %.12s", reader->commit);
    if (!node_to_int(node_get(*ret, "salve_snapshot"), &format) || format != FORMAT)
        return raise_unsound(reader, "its format is not known", err);
    return 0;
}

int snapshot_read(Repo *repo, Arena *arena, const char *commit, Snapshot *ret, Err *err)
{
    const Reader reader = {repo, arena, commit};
    Node *manifest;
    Bytes intent;
    int r = read_manifest(&reader, &manifest, err);
    if (r != 0)
        return r;
    if ((r = repo_read(repo, arena, commit, "intent", &intent, err)) != 0)
        return r < 0 ? r : raise_unsound(&reader, "its intent is missing", err);
    Snapshot snapshot = {.run_id = node_get_text(manifest, "run"), .intent = intent.data};
    const Node *list = node_get(manifest, "edits");
    if (!snapshot.run_id || !list || list->kind != NODE_SEQ)
        return raise_unsound(&reader, "its manifest lacks run or edits", err);
    for (size_t i = 0; i < list->items.n; i++) {
        Edit *edit = vec_push(arena, &snapshot.edits);
        if ((r = read_edit(&reader, list->items.items[i], i, edit, err)) < 0)
            return r;
    }
    *ret = snapshot;
    return 0;
}

int snapshot_find(Repo *repo, const char *run_id, char ret_commit[65], Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    return repo_ref(repo, arena_printf(arena, "refs/runs/%s", run_id), ret_commit, err);
}

/* --- The rehearsal --- */

static int compare_with_edits(const Reader *reader, const Snapshot *snapshot, const EditVec *edits, Err *err)
{
    if (snapshot->edits.n != edits->n)
        return raise_unsound(reader, "it has another number of files than were given", err);
    for (size_t i = 0; i < edits->n; i++) {
        const Edit *read = &snapshot->edits.items[i], *meant = &edits->items[i];
        if (!str_equal(read->path, meant->path) || !file_state_equal(&read->before, &meant->before) ||
            !file_state_equal(&read->after, &meant->after))
            return raise_unsound(reader, arena_printf(reader->arena, "%s reads back differently", meant->path), err);
    }
    return 0;
}

int snapshot_rehearse(Repo *repo, Arena *arena, const char *commit, const char *root, const EditVec *edits,
                      const char **ret_path, const char **ret_what, Err *err)
{
    const Reader reader = {repo, arena, commit};
    Snapshot snapshot;
    int r = snapshot_read(repo, arena, commit, &snapshot, err);
    if (r != 0)
        return r < 0 ? r : raise_unsound(&reader, "it is not there", err);
    if ((r = compare_with_edits(&reader, &snapshot, edits, err)) < 0)
        return r;
    VEC_EACH (edit, &snapshot.edits) {
        FileState found;
        if ((r = file_read(arena, root, edit->path, &found, err)) < 0)
            return r;
        if (!file_state_equal(&edit->before, &found)) {
            *ret_path = edit->path;
            *ret_what = file_state_difference(arena, &edit->before, &found);
            return SNAPSHOT_DIFFERS;
        }
    }
    return 0;
}

/* --- Foreign files, tags --- */

int snapshot_keep_foreign(Repo *repo, const char *run_id, const char *path, const FileState *state, char ret_commit[65],
                          Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    EditVec edits = {0};
    *vec_push(arena, &edits) = (Edit){path, *state, {.type = FILE_ABSENT, .content = BYTES("")}};
    int r = check_storable(&edits, err);
    if (r < 0)
        return r;
    Hash hash;
    file_state_hash(state, &hash);
    const char *named = arena_printf(arena, "%s\n%s", path, hash_to_hex(arena, hash)); /* two files may be the same */
    const char *tag = hash_to_hex(arena, hash_of(named, strlen(named)));
    const char *ref = arena_printf(arena, "refs/foreign/%s/%.16s", run_id, tag);
    const RepoFileVec files = files_of(arena, run_id, "{}", &edits);
    const char *message = arena_printf(arena, "run %s found this foreign version of %s\n", run_id, path);
    r = repo_ref(repo, ref, ret_commit, err);
    return r == REPO_NONE ? repo_commit(repo, ref, message, clock_realtime(), &files, ret_commit, err) : r;
}

int snapshot_tag_kept(Repo *repo, const char *run_id, const char *commit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    return repo_tag(repo, arena_printf(arena, "kept/%s", run_id), commit, err);
}
