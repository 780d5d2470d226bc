/* SPDX-License-Identifier: Apache-2.0 */
#include "store/program.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/files.h"
#include "config.h"
#include "store/store.h"

enum { PROGRAM_MAX = 256 << 20 };

const char *program_self(Arena *arena)
{
    CLEANUP(mem_free) char *path = realpath("/proc/self/exe", NULL);
    return path ? arena_strdup(arena, path) : SALVE_BIN;
}

/* The name of this build's copy; a copy of a copy keeps the name. NULL: this program cannot be looked at. */
static const char *name_of_self(Arena *arena, const char *self, const char *directory)
{
    struct stat st;
    if (str_starts(self, directory))
        return strrchr(self, '/') + 1;
    if (stat(self, &st) < 0)
        return NULL;
    uint64_t changed = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    return arena_printf(arena, "salve-%s-%" PRIx64 "-%" PRIx64, SALVE_VERSION, changed, (uint64_t)st.st_size);
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && access(path, X_OK) == 0;
}

static bool may_execute(const char *directory)
{
    struct statvfs fs;
    return statvfs(directory, &fs) == 0 && !(fs.f_flag & ST_NOEXEC);
}

static int copy(const char *self, const char *state_dir, const char *directory, const char *path, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes content;
    int r = store_make_dir(state_dir, err);
    if (r >= 0)
        r = store_make_dir(directory, err);
    if (r >= 0 && !may_execute(directory))
        return err_set(err, ERR_REFUSED, "programs on %s cannot be executed", directory);
    if (r >= 0)
        r = files_load(arena, self, PROGRAM_MAX, &content, err);
    if (r != 0)
        return r < 0 ? r : err_set(err, ERR_NOT_FOUND, "%s is not there", self);
    return files_write(path, 0700, content, err);
}

const char *program_pin(Arena *arena, const char *state_dir)
{
    const char *self = program_self(arena), *directory = arena_printf(arena, "%s/bin", state_dir);
    const char *name = name_of_self(arena, self, directory);
    const char *path = name ? arena_printf(arena, "%s/%s", directory, name) : NULL;
    Err ignored;
    bool pinned =
        path && (is_there(path) ? may_execute(directory) : copy(self, state_dir, directory, path, &ignored) >= 0);
    return pinned ? path : self;
}

void program_prune(const char *state_dir)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *directory = arena_printf(arena, "%s/bin", state_dir);
    const char *name = name_of_self(arena, program_self(arena), directory);
    DIR *dir = opendir(directory);
    Err ignored; /* the next run tries again */
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (str_starts(entry->d_name, "salve-") && !str_equal(entry->d_name, name))
            files_unlink(arena_printf(arena, "%s/%s", directory, entry->d_name), &ignored);
    }
    if (dir)
        closedir(dir);
}
