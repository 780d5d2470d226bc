/* SPDX-License-Identifier: Apache-2.0 */
/* The finding recent-deploy: something that the service is made of was changed lately, by somebody else than salve.
 *
 * What was there when the machine booted is no deploy: a machine that was made from an image a minute ago would have
 * nothing but recent files. The scan is bounded; a cut one that found nothing is not told from one that would have. */
#include "diagnose/deploy.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnose/kinds.h"
#include "host/proc.h"
#include "stack/live.h"

enum { PARENTS_WITH_GIT = 3, BOOT_SEC = 2 };

/* One tree of files that are told about together. */
typedef struct Scan {
    Arena *arena;
    usec since;
    size_t entries, changed;
    usec newest;
    const char *newest_name;
    bool cut;
} Scan;

static usec to_usec(struct timespec ts)
{
    return (usec)ts.tv_sec * USEC_PER_SEC + (usec)ts.tv_nsec / 1000;
}

static usec mtime_of(const struct stat *st)
{
    return to_usec(st->st_mtim);
}

static usec changed_at(const struct stat *st)
{
    usec mtime = to_usec(st->st_mtim), ctime = to_usec(st->st_ctim);
    return mtime > ctime ? mtime : ctime;
}

static void add(Arena *arena, RecentVec *recent, usec when, const char *what)
{
    *vec_push(arena, recent) = (Recent){when, what};
}

/* Follows the path component by component; each symlink that was made lately is a release that was switched. */
static const char *walk_links(Arena *arena, const char *root, const char *path, usec since, RecentVec *recent)
{
    char resolved[PATH_MAX];
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        const char *part = arena_strndup(arena, path, i);
        struct stat st;
        if (lstat(arena_printf(arena, "%s%s", root, part), &st) == 0 && S_ISLNK(st.st_mode) && mtime_of(&st) > since)
            add(arena, recent, mtime_of(&st), arena_printf(arena, "release link %s", part));
    }
    const char *full = arena_printf(arena, "%s%s", root, path);
    return realpath(full, resolved) ? arena_strdup(arena, resolved) : full;
}

static const char *const code_suffixes[] = {".py", ".so", ".toml", ".lock", ".cfg", NULL};
static const char *const skipped_directories[] = {"__pycache__", ".git", "node_modules", "static", "media",
                                                  "logs",        "venv", ".venv",        NULL};

static bool in_list(const char *const *list, const char *name)
{
    for (; *list; list++) {
        if (strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

static bool is_code(const char *name)
{
    for (const char *const *suffix = code_suffixes; *suffix; suffix++) {
        if (str_ends(name, *suffix))
            return true;
    }
    return str_starts(name, "requirements") && str_ends(name, ".txt");
}

static void see(Scan *scan, const struct stat *st, const char *name)
{
    usec when = changed_at(st);
    if (when <= scan->since)
        return;
    scan->changed++;
    if (when > scan->newest) {
        scan->newest = when;
        scan->newest_name = arena_strdup(scan->arena, name);
    }
}

static void scan_directory(Scan *scan, int parent, const char *name, const char *shown, unsigned depth);

static void scan_entry(Scan *scan, int directory, const char *name, const char *shown, unsigned depth)
{
    struct stat st;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    const char *path = arena_printf(scan->arena, "%s%s%s", shown, *shown ? "/" : "", name);
    if (S_ISDIR(st.st_mode) && !in_list(skipped_directories, name))
        scan_directory(scan, directory, name, path, depth + 1);
    else if (S_ISREG(st.st_mode) && is_code(name))
        see(scan, &st, path);
}

static void scan_directory(Scan *scan, int parent, const char *name, const char *shown, unsigned depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (!directory) {
        fd_close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++scan->entries > DEPLOY_MOST_ENTRIES || depth > DEPLOY_MOST_DEPTH) {
            scan->cut = true;
            break;
        }
        scan_entry(scan, fd, entry->d_name, shown, depth);
    }
    closedir(directory);
}

static void add_scan(const Scan *scan, RecentVec *recent, const char *where)
{
    if (scan->changed == 0)
        return;
    const char *more = scan->changed > 1 ? arena_printf(scan->arena, " and %zu more", scan->changed - 1) : "";
    add(scan->arena, recent, scan->newest, arena_printf(scan->arena, "%s%s in %s", scan->newest_name, more, where));
}

static void scan_code(Arena *arena, const char *real, const char *shown, usec since, RecentVec *recent, bool *ret_cut)
{
    Scan scan = {.arena = arena, .since = since};
    scan_directory(&scan, AT_FDCWD, real, "", 0);
    add_scan(&scan, recent, shown);
    *ret_cut = *ret_cut || scan.cut;
}

static void add_file(Arena *arena, const char *path, const char *what, usec since, RecentVec *recent)
{
    struct stat st;
    if (stat(path, &st) == 0 && mtime_of(&st) > since)
        add(arena, recent, mtime_of(&st), what);
}

static void scan_git(Arena *arena, const char *real, usec since, RecentVec *recent)
{
    static const char *const names[] = {"HEAD", "ORIG_HEAD", "logs/HEAD"};
    char *directory = arena_strdup(arena, real);
    for (int i = 0; i < PARENTS_WITH_GIT && strlen(directory) > 1; i++) {
        for (size_t n = 0; n < ARRAY_LEN(names); n++) {
            const char *path = arena_printf(arena, "%s/.git/%s", directory, names[n]);
            add_file(arena, path, arena_printf(arena, "git: %s", path), since, recent);
        }
        char *slash = strrchr(directory, '/');
        slash[slash == directory] = '\0';
    }
}

/* Packages are installed as directories NAME.dist-info in site-packages. */
static void scan_packages(Scan *scan, const char *packages)
{
    DIR *directory = opendir(packages);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) && scan->entries < DEPLOY_MOST_ENTRIES;) {
        struct stat st;
        scan->entries++;
        bool package = str_ends(entry->d_name, ".dist-info") || str_ends(entry->d_name, ".egg-info") ||
                       str_ends(entry->d_name, ".egg-link");
        if (package && fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            see(scan, &st, entry->d_name);
    }
    closedir(directory);
}

static void scan_venv(Arena *arena, const char *root, const char *interpreter, usec since, RecentVec *recent)
{
    char *venv = arena_strdup(arena, interpreter);
    for (int i = 0; i < 2; i++) { /* VENV/bin/gunicorn */
        char *slash = strrchr(venv, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
    struct stat st;
    const char *full = arena_printf(arena, "%s%s", root, venv);
    if (stat(arena_printf(arena, "%s/pyvenv.cfg", full), &st) < 0)
        return;
    const char *lib = arena_printf(arena, "%s/lib", full);
    DIR *directory = opendir(lib);
    if (!directory)
        return;
    Scan scan = {.arena = arena, .since = since};
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (str_starts(entry->d_name, "python"))
            scan_packages(&scan, arena_printf(arena, "%s/%s/site-packages", lib, entry->d_name));
    }
    closedir(directory);
    add_scan(&scan, recent, venv);
}

static void scan_files(Arena *arena, const char *root, const DeployPlaces *places, usec since, RecentVec *recent)
{
    VEC_EACH (path, places->files) {
        bool own = (places->own && strings_contain(places->own, *path)) || str_ends(*path, "/" UNIT_DROPIN_NAME);
        if (!own)
            add_file(arena, arena_printf(arena, "%s%s", root, *path), arena_printf(arena, "configuration %s", *path),
                     since, recent);
    }
}

static int compare_recent(const void *a, const void *b)
{
    const Recent *x = a, *y = b;
    return x->when < y->when ? -1 : x->when > y->when;
}

void deploy_scan(Arena *arena, const char *root, const DeployPlaces *places, usec since, RecentVec *ret, bool *ret_cut)
{
    RecentVec recent = {0};
    bool cut = false;
    if (places->directory) {
        const char *real = walk_links(arena, root, places->directory, since, &recent);
        if (strcmp(real, "/") != 0) /* no working directory of its own */
            scan_code(arena, real, places->directory, since, &recent, &cut);
        scan_git(arena, real, since, &recent);
    }
    if (places->interpreter && places->interpreter[0] == '/')
        scan_venv(arena, root, places->interpreter, since, &recent);
    if (places->files)
        scan_files(arena, root, places, since, &recent);
    if (recent.n > 1)
        qsort(recent.items, recent.n, sizeof *recent.items, compare_recent);
    *ret = recent;
    *ret_cut = cut;
}

static int examine_recent_deploy(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    Arena *arena = context->arena;
    if (!context->live)
        return err_set(err, ERR_REFUSED, "the times in a tree do not tell when it was deployed");
    usec back = finding_since(ret->kind, spec), since = clock_realtime() - back, booted;
    const GunicornFacts *facts;
    int r = gunicorn_load(context->view, context->unit, &facts, err);
    if (r == GUNICORN_NOT)
        return err_set(err, ERR_REFUSED, "%s does not run Gunicorn", context->unit);
    if (r == 0)
        r = proc_start_time("", 1, &booted, err);
    if (r < 0)
        return r;
    if (booted + BOOT_SEC * USEC_PER_SEC > since)
        since = booted + BOOT_SEC * USEC_PER_SEC;
    const DeployPlaces places = {
        .directory = facts->directory,
        .interpreter = facts->argv.n > 0 ? facts->argv.items[0] : NULL,
        .files = &facts->files,
        .own = context->own,
    };
    RecentVec recent;
    bool cut;
    deploy_scan(arena, view_root(context->view), &places, since, &recent, &cut);
    VEC_EACH (change, &recent) {
        finding_add_evidence(arena, ret,
                             arena_printf(arena, "%s %s", usec_to_local(arena, change->when), change->what));
    }
    if (recent.n == 0 && cut)
        return err_set(err, ERR_REFUSED, "%s is too large to look for recent changes", facts->directory);
    ret->state = recent.n > 0 ? FINDING_PRESENT : FINDING_ABSENT;
    ret->summary = arena_printf(arena, "nothing was changed in %s", finding_last(arena, back));
    if (recent.n > 0) {
        usec now = clock_realtime(), last = recent.items[recent.n - 1].when;
        ret->summary = arena_printf(arena, "changed %s ago: %s", usec_to_string(arena, now > last ? now - last : 0),
                                    recent.items[recent.n - 1].what);
        ret->advice = "If the trouble began with that, roll the release back before touching timeouts.";
    }
    return 0;
}

const FindingKind finding_recent_deploy = {
    .name = "recent-deploy",
    .help = "The release, its packages or the configuration of the service were changed lately.",
    .default_since_usec = 30 * USEC_PER_MIN,
    .examine = examine_recent_deploy,
};
