/* SPDX-License-Identifier: Apache-2.0 */
/* Where playbooks are. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "data/yaml.h"
#include "host/trust.h"
#include "playbook/playbook.h"

const char *const playbook_directories[] = {"/etc/salve/playbooks", SALVE_DATA_DIR "/playbooks", NULL};

static int read_source(Arena *arena, const char *path, const Source **ret, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    Bytes text = BYTES("");
    int r = trusted_open("", path, &fd, err);
    if (r >= 0)
        r = yaml_read(arena, fd, path, &text, err);
    if (r < 0)
        return r;
    Source *source = arena_new_of(arena, Source);
    *source = (Source){.name = arena_strdup(arena, path), .text = text};
    *ret = source;
    return 0;
}

/* The names of the playbooks in a directory, sorted; one that is not there has none. */
static int list_names(Arena *arena, const char *directory, StringVec *names, Err *err)
{
    DIR *dir = opendir(directory);
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, errno, "%s", directory);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        if (*entry->d_name != '.' && len > 5 && str_ends(entry->d_name, ".yaml"))
            *vec_push(arena, names) = arena_strndup(arena, entry->d_name, len - 5);
    }
    closedir(dir);
    strings_sort(names);
    return 0;
}

static int fail_not_found(Arena *arena, const char *const *directories, const char *name, Err *err)
{
    StringVec names = {0};
    CLEANUP(strbuf_free) StrBuf where = STRBUF_INIT(512);
    Err ignored;
    for (size_t i = 0; directories[i]; i++) {
        list_names(arena, directories[i], &names, &ignored);
        strbuf_printf(&where, "%s%s", i ? ", " : "", directories[i]);
    }
    *vec_push(arena, &names) = NULL;
    const char *nearest = str_nearest(name, names.items);
    if (nearest)
        return err_set(err, ERR_NOT_FOUND, "no playbook \"%.64s\" (did you mean \"%s\"?)", name, nearest);
    return err_set(err, ERR_NOT_FOUND, "no playbook \"%.64s\" in %s; salve list shows those that are there", name,
                   strbuf_str(&where));
}

int playbook_find(Arena *arena, const char *const *directories, const char *name, const Source **ret, Err *err)
{
    if (strchr(name, '/') || str_ends(name, ".yaml"))
        return read_source(arena, name, ret, err);
    for (size_t i = 0; directories[i] && is_name(name, false); i++) {
        const char *path = arena_printf(arena, "%s/%s.yaml", directories[i], name);
        if (access(path, F_OK) == 0)
            return read_source(arena, path, ret, err);
    }
    return fail_not_found(arena, directories, name, err);
}

static void list_one(Arena *arena, const char *path, Diagnostics *diags, PlaybookVec *ret)
{
    const Source *source = NULL;
    const Playbook *playbook = NULL;
    Err err;
    if (read_source(arena, path, &source, &err) < 0)
        diag_from_err(diags, NULL, &err);
    else if (playbook_load(arena, source, NULL, diags, &playbook, &err) == 0)
        *vec_push(arena, ret) = playbook;
}

static int compare_playbooks(const void *a, const void *b)
{
    return strcmp((*(const Playbook *const *)a)->name, (*(const Playbook *const *)b)->name);
}

int playbook_list(Arena *arena, const char *const *directories, Diagnostics *diags, PlaybookVec *ret, Err *err)
{
    StringVec seen = {0};
    for (size_t i = 0; directories[i]; i++) {
        StringVec names = {0};
        int r = list_names(arena, directories[i], &names, err);
        if (r < 0)
            return r;
        VEC_EACH (name, &names) {
            if (strings_contain(&seen, *name))
                continue;
            *vec_push(arena, &seen) = *name;
            list_one(arena, arena_printf(arena, "%s/%s.yaml", directories[i], *name), diags, ret);
        }
    }
    if (ret->n > 1)
        qsort(ret->items, ret->n, sizeof(const Playbook *), compare_playbooks);
    return 0;
}
