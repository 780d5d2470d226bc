/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <dirent.h>
#include <string.h>

StringVec tree_list(Arena *arena, const char *root, const char *dir)
{
    StringVec names = {0};
    DIR *stream = opendir(arena_printf(arena, "%s%s", root, dir));
    if (!stream)
        return names;
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
            *vec_push(arena, &names) = arena_printf(arena, "%s/%s", dir, entry->d_name);
    }
    closedir(stream);
    strings_sort(&names);
    return names;
}

const char *tree_hash_state(Arena *arena, const FileState *state)
{
    Hash hash = {0};
    file_state_hash(state, &hash);
    return arena_printf(arena, "%.16s", hash_to_hex(arena, hash));
}

static void print(Arena *arena, const char *root, const char *path, bool dots, StrBuf *out)
{
    FileState state;
    Err err;
    if (!dots && strstr(path, ".salve-"))
        return;
    if (file_read(arena, root, path, &state, &err) < 0) {
        strbuf_printf(out, "%s cannot be read: %s\n", path, err_text(&err));
        return;
    }
    strbuf_printf(out, "%s %s %s\n", path, file_type_to_string(state.type), tree_hash_state(arena, &state));
    if (state.type != FILE_DIRECTORY)
        return;
    StringVec names = tree_list(arena, root, path);
    VEC_EACH (name, &names)
        print(arena, root, *name, dots, out);
}

const char *tree_print(Arena *arena, const char *root, bool dots)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    print(arena, root, "/etc", dots, &out);
    return strbuf_dup(arena, &out);
}

const char *tree_hash(Arena *arena, const char *root)
{
    const char *text = tree_print(arena, root, false);
    return hash_to_hex(arena, hash_of(text, strlen(text)));
}
