/* SPDX-License-Identifier: Apache-2.0 */
#include "host/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files-at.h"
#include "host/rights.h"

enum { MAX_LINKS = 40 };

typedef struct Way {
    Arena *arena;
    const char *root, *path; /* as asked */
    int dir;                 /* where the next name is looked up */
    const char *at;          /* its path, for messages; "" for "/" */
    const char *rest;        /* the part to come */
    unsigned links;
} Way;

static int refuse(const Way *way, const char *part, Writer who, Err *err)
{
    const char *name = writer_to_string(way->arena, who);
    if (str_equal(part, way->path))
        return err_set(err, ERR_REFUSED,
                       "%s can be written by %s: root takes only what nobody else can write (chown root:root %s; chmod "
                       "go-w %s)",
                       part, name, part, part);
    return err_set(err, ERR_REFUSED,
                   "%s cannot be trusted, since %s can write to %s on its way: root takes only what nobody else can "
                   "write (chown root:root %s; chmod go-w %s; or keep the file in /etc/salve)",
                   way->path, name, part, part, part);
}

static int check_writers(const Way *way, const char *part, const WriterVec *writers, Err *err)
{
    return writers->n > 0 ? refuse(way, part, writers->items[0], err) : 0;
}

/* The directory that a name is looked up in. What the name stands for is judged in its turn. */
static int check_directory(const Way *way, const FileState *entry, Err *err)
{
    FileState directory;
    WriterVec writers = {0};
    const char *shown = way->at[0] ? way->at : "/";
    int r = file_read_at(way->arena, way->dir, ".", shown, &directory, err);
    if (r < 0)
        return r;
    writers_of_entry(way->arena, &directory, entry, &writers);
    return check_writers(way, shown, &writers, err);
}

static int follow_link(Way *way, const char *link, const FileState *state, Err *err)
{
    if (state->uid != 0)
        return refuse(way, link, (Writer){WRITER_USER, state->uid}, err);
    if (++way->links > MAX_LINKS)
        return err_set(err, ERR_FAILED, "%s: too many levels of symbolic links", way->path);
    way->rest = arena_concat(way->arena, state->content.data, "/", way->rest);
    if (state->content.data[0] != '/')
        return 0;
    fd_close(way->dir);
    way->at = way->root;
    way->dir = open(way->root[0] ? way->root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return way->dir < 0 ? err_errno(err, errno, "%s", way->path) : 0;
}

static int enter(Way *way, const char *name, const char *shown, Err *err)
{
    int fd = openat(way->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "%s", way->path);
    fd_close(way->dir);
    way->dir = fd;
    way->at = shown;
    return 0;
}

/* The file at the end of the way. */
static int open_file(const Way *way, const char *name, const char *shown, int *ret_fd, Err *err)
{
    FileState state;
    WriterVec writers = {0};
    CLEANUP(fd_close) int fd = openat(way->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "%s", way->path);
    int r = file_read_at(way->arena, way->dir, name, way->path, &state, err);
    if (r < 0)
        return r;
    writers_of(way->arena, &state, &writers);
    r = check_writers(way, shown, &writers, err);
    if (r < 0)
        return r;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* One name. 1: the file is open. */
static int step(Way *way, int *ret_fd, Err *err)
{
    size_t len = strcspn(way->rest, "/");
    const char *name = arena_strndup(way->arena, way->rest, len);
    way->rest += len + strspn(way->rest + len, "/");
    if (name[0] == '\0' || str_equal(name, "."))
        return 0;
    const char *shown = arena_concat(way->arena, way->at, "/", name);
    if (str_equal(name, ".."))
        return enter(way, name, shown, err);
    FileState state;
    int r = file_stat_at(way->dir, name, way->path, &state, err);
    if (r >= 0 && state.type == FILE_SYMLINK)
        r = file_read_at(way->arena, way->dir, name, way->path, &state, err);
    if (r >= 0 && state.type == FILE_ABSENT)
        r = err_errno(err, ENOENT, "%s", way->path);
    if (r >= 0)
        r = check_directory(way, &state, err);
    if (r < 0)
        return r;
    if (state.type == FILE_SYMLINK)
        return follow_link(way, shown, &state, err);
    if (way->rest[0])
        return enter(way, name, shown, err);
    r = open_file(way, name, shown, ret_fd, err);
    return r < 0 ? r : 1;
}

static int walk(Way *way, int *ret_fd, Err *err)
{
    char cwd[PATH_MAX];
    if (way->path[0] != '/' && !getcwd(cwd, sizeof cwd))
        return err_errno(err, errno, "%s", way->path);
    way->rest = way->path[0] == '/' ? way->path : arena_concat(way->arena, cwd, "/", way->path);
    way->at = way->root;
    way->dir = open(way->root[0] ? way->root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (way->dir < 0)
        return err_errno(err, errno, "%s", way->path);
    while (way->rest[0]) {
        int r = step(way, ret_fd, err);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return err_set(err, ERR_INVALID, "%s is a directory, not a file", way->path);
}

int trusted_open(const char *root, const char *path, int *ret_fd, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Way way = {.arena = arena, .root = root, .path = path, .dir = -1};
    int r;
    if (geteuid() == 0) {
        r = walk(&way, ret_fd, err);
        fd_close(way.dir);
        return r;
    }
    *ret_fd = open(arena_concat(arena, root, path, ""), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return *ret_fd < 0 ? err_errno(err, errno, "%s", path) : 0;
}
