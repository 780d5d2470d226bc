/* SPDX-License-Identifier: Apache-2.0 */
#include "stranger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "sim.h"
#include "world.h"

static const char *const paths[] = {
    WORLD_ENV,
    "/etc/nginx/sites-available/site",
    "/etc/nginx/conf.d/limits.conf",
    "/etc/systemd/system/gunicorn.service.d/zz-salve.conf",
    "/etc/systemd/system/gunicorn.service.d/other.conf",
};

static unsigned draw(unsigned n)
{
    sim->stranger.random = sim->stranger.random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(sim->stranger.random >> 33) % n;
}

const char *stranger_mark(Arena *arena, unsigned tag)
{
    return arena_printf(arena, "# foreign %u\n", tag);
}

static Deed *deed_of(const char *path)
{
    Deed *deed = &sim->deeds[sim->deed_count++];
    snprintf(deed->path, sizeof deed->path, "%s", path);
    deed->tag = 0;
    return deed;
}

/* The file with a line of theirs at its end, as a new file in its place. */
static void replace(Arena *arena, const char *path, const struct stat *st)
{
    static const char fresh[] = "/etc/.stranger";
    Bytes content = BYTES("");
    Err err;
    if (st && files_load(arena, path, SIM_TEXT, &content, &err) != 0)
        return;
    Deed *deed = deed_of(path);
    deed->tag = ++sim->last_tag;
    world_write(fresh, bytes_of(arena_printf(arena, "%s%s", content.data, stranger_mark(arena, deed->tag))));
    if (st && (chown(fresh, st->st_uid, st->st_gid) < 0 || chmod(fresh, st->st_mode & 07777) < 0))
        perror("stranger");
    if (rename(fresh, path) < 0)
        perror("stranger");
}

static void write_in_place(Arena *arena, const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    Deed *deed = deed_of(path);
    deed->tag = ++sim->last_tag;
    const char *mark = stranger_mark(arena, deed->tag);
    if (write(fd, mark, strlen(mark)) != (ssize_t)strlen(mark))
        perror("stranger");
    close(fd);
}

/* Only what the host can do without. */
static void take_away(const char *path)
{
    if (!str_equal(path, WORLD_ENV) && !strstr(path, "sites-available") && unlink(path) == 0)
        deed_of(path);
}

static bool has_directory(Arena *arena, const char *path)
{
    struct stat st;
    return stat(arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path)), &st) == 0;
}

static void act(void)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = paths[draw(ARRAY_LEN(paths))];
    struct stat st;
    bool there = lstat(path, &st) == 0;
    unsigned how = draw(5);
    if (sim->deed_count == SIM_DEEDS || !has_directory(arena, path))
        return;
    if (there && how < 2)
        write_in_place(arena, path);
    else if (there && how == 2)
        take_away(path);
    else
        replace(arena, path, there ? &st : NULL);
}

static void visit(const char *operation, const char *path)
{
    (void)operation, (void)path;
    for (size_t i = 0; i < ARRAY_LEN(sim->stranger.at); i++) {
        if (sim->stranger.at[i] == sim->injector.reached + 1)
            act();
    }
}

void stranger_send(void)
{
    sim->injector.stranger = visit;
}

/* Between salve's last look and its exchange. Not in a rollback, which keeps what it finds and puts `before` back. */
static void race(const char *operation, const char *path)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    bool exchanges = str_equal(operation, "exchange") && strncmp(path, "/etc/", 5) == 0 && !strstr(path, "/.");
    if (!exchanges || sim->jobs > 0 || sim->deed_count > 0 || draw(2))
        return;
    write_in_place(arena, path);
    if (sim->deed_count > 0) {
        sim->injector.fault = sim->stranger.then;
        sim->injector.fault.at = sim->injector.reached + 1;
    }
}

void stranger_race(Fault then)
{
    sim->stranger.then = then;
    sim->injector.stranger = race;
}

int stranger_touched(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < sim->deed_count; i++) {
        const char *touched = sim->deeds[i].path;
        if (strncmp(touched, path, len) == 0 && (touched[len] == '\0' || touched[len] == '/'))
            return 1;
    }
    return 0;
}
