/* SPDX-License-Identifier: Apache-2.0 */
/* The mount points are read once, from the host's table, and laid out below scratch/root in their order, which has a
 * directory before what is mounted in it. Then the copy becomes "/", and the host's tree is let go. */
#include "host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"

enum { HARMLESS = MS_NOSUID | MS_NODEV };

typedef struct Mount {
    const char *point, *type;
} Mount;

typedef VEC(Mount) MountVec;

/* The kernel's own: laid over by nothing, and read-only. /dev is made anew. */
static const char *const kernel_types[] = {
    "autofs",   "binfmt_misc", "bpf",        "cgroup",    "cgroup2", "configfs", "debugfs", "devpts",
    "devtmpfs", "efivarfs",    "fusectl",    "hugetlbfs", "mqueue",  "nsfs",     "proc",    "pstore",
    "ramfs",    "rpc_pipefs",  "securityfs", "selinuxfs", "sysfs",   "tracefs",
};

static const char *const devices[] = {"full", "null", "random", "urandom", "zero"};

/* Where the C library asks about users, groups and hosts. An overlay does not show a socket's listener. */
static const char *const name_services[] = {
    "/run/nscd/socket",
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/systemd/userdb/io.systemd.DynamicUser",
    "/run/systemd/userdb/io.systemd.Multiplexer",
    "/var/lib/sss/pipes/nss",
};

static int refused(Err *err, const char *what, const char *where)
{
    int errnum = errno;
    err_errno(err, errnum, "%s %s", what, where);
    err->kind = ERR_REFUSED;
    return -ERR_REFUSED;
}

static bool is_kernels(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(kernel_types); i++) {
        if (strcmp(type, kernel_types[i]) == 0)
            return true;
    }
    return false;
}

static bool is_below(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return strncmp(path, directory, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* mountinfo writes space, tab, newline and backslash in octal. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        bool octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3];
        *to = octal ? (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0')) : *from;
        from += octal ? 4 : 1;
    }
    *to = '\0';
}

/* Of several mounts on one point the last is seen. */
static void add_mount(Arena *arena, MountVec *mounts, const char *point, const char *type)
{
    VEC_EACH (mount, mounts) {
        if (strcmp(mount->point, point) == 0) {
            mount->type = arena_strdup(arena, type);
            return;
        }
    }
    *vec_push(arena, mounts) = (Mount){arena_strdup(arena, point), arena_strdup(arena, type)};
}

static int read_mounts(Arena *arena, const char *scratch, MountVec *ret, Err *err)
{
    char *line = NULL;
    size_t size = 0;
    FILE *table = fopen("/proc/self/mountinfo", "re");
    if (!table)
        return refused(err, "cannot read", "/proc/self/mountinfo");
    while (getline(&line, &size, table) > 0) {
        char point[PATH_MAX], type[64];
        const char *separator = strstr(line, " - ");
        if (!separator || sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1 || sscanf(separator, " - %63s", type) != 1)
            continue;
        unescape(point);
        if (!is_below(point, "/dev") && !is_below(point, scratch))
            add_mount(arena, ret, point, type);
    }
    free(line);
    fclose(table);
    return 0;
}

static int bind_read_only(const char *from, const char *to)
{
    if (mount(from, to, NULL, MS_BIND, NULL) < 0)
        return -1;
    return mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | HARMLESS, NULL);
}

/* The lower layer goes by descriptor: its path may hold what the options of an overlay give a meaning. */
static int lay_overlay(const char *scratch, size_t number, const char *lower, const char *at)
{
    char upper[PATH_MAX], work[PATH_MAX], options[PATH_MAX * 3];
    struct stat st;
    CLEANUP(fd_close) int fd = open(lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(upper, sizeof upper, "%s/upper-%zu", scratch, number);
    snprintf(work, sizeof work, "%s/work-%zu", scratch, number);
    /* The root of the overlay shows the upper directory's owner and mode. */
    if (fd < 0 || fstat(fd, &st) < 0 || mkdir(upper, 0700) < 0 || mkdir(work, 0700) < 0 ||
        chown(upper, st.st_uid, st.st_gid) < 0 || chmod(upper, st.st_mode & 07777) < 0)
        return -1;
    snprintf(options, sizeof options, "lowerdir=/proc/self/fd/%d,upperdir=%s,workdir=%s", fd, upper, work);
    return mount("overlay", at, "overlay", HARMLESS, options);
}

/* What cannot be laid over or bound at all is not there: its mount point is empty. */
static void lay_mount(const char *scratch, size_t number, const Mount *mounted)
{
    char at[PATH_MAX * 2];
    struct stat st;
    snprintf(at, sizeof at, "%s/root%s", scratch, mounted->point);
    if (stat(mounted->point, &st) < 0)
        return;
    if (!is_kernels(mounted->type) && S_ISDIR(st.st_mode) && lay_overlay(scratch, number, mounted->point, at) == 0)
        return;
    if (bind_read_only(mounted->point, at) < 0)
        umount2(at, MNT_DETACH);
}

static int lay_devices(const char *scratch, Err *err)
{
    char at[PATH_MAX], from[PATH_MAX];
    snprintf(at, sizeof at, "%s/root/dev", scratch);
    if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k") < 0)
        return refused(err, "cannot mount a tmpfs on", at);
    for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
        snprintf(from, sizeof from, "/dev/%s", devices[i]);
        snprintf(at, sizeof at, "%s/root/dev/%s", scratch, devices[i]);
        int fd = open(at, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        fd_close(fd);
        if (fd < 0 || (mount(from, at, NULL, MS_BIND, NULL) < 0 && errno != ENOENT))
            return refused(err, "cannot show the device", from);
    }
    static const char *const links[][2] = {{"/proc/self/fd", "fd"},
                                           {"/proc/self/fd/0", "stdin"},
                                           {"/proc/self/fd/1", "stdout"},
                                           {"/proc/self/fd/2", "stderr"}};
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        snprintf(at, sizeof at, "%s/root/dev/%s", scratch, links[i][1]);
        if (symlink(links[i][0], at) < 0)
            return refused(err, "cannot make", at);
    }
    return 0;
}

/* Those that are not there, or are no sockets, are left out. */
static void show_name_services(const char *scratch)
{
    for (size_t i = 0; i < ARRAY_LEN(name_services); i++) {
        char at[PATH_MAX];
        struct stat st;
        snprintf(at, sizeof at, "%s/root%s", scratch, name_services[i]);
        if (lstat(name_services[i], &st) == 0 && S_ISSOCK(st.st_mode))
            mount(name_services[i], at, NULL, MS_BIND, NULL);
    }
}

static int become_root_directory(const char *root, Err *err)
{
    if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return refused(err, "cannot make the copy of the host", "the root directory");
    return 0;
}

int sandbox_enter(const char *scratch, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    MountVec mounts = {0};
    char root[PATH_MAX];
    if (unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0)
        return refused(err, "cannot make", "a mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return refused(err, "cannot make the mounts private of", "the namespace");
    int r = read_mounts(arena, scratch, &mounts, err);
    if (r < 0)
        return r;
    if (mount("tmpfs", scratch, "tmpfs", HARMLESS, "mode=0700,size=64m") < 0)
        return refused(err, "cannot mount a tmpfs on", scratch);
    snprintf(root, sizeof root, "%s/root", scratch);
    if (mkdir(root, 0755) < 0 || lay_overlay(scratch, 0, "/", root) < 0)
        return refused(err, "cannot lay an overlay over", "/");
    for (size_t i = 0; i < mounts.n; i++) {
        if (strcmp(mounts.items[i].point, "/") != 0)
            lay_mount(scratch, i + 1, &mounts.items[i]);
    }
    r = lay_devices(scratch, err);
    if (r < 0)
        return r;
    show_name_services(scratch);
    return become_root_directory(root, err);
}

int sandbox_drop_rights(Err *err)
{
    static const unsigned kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_NET_BIND_SERVICE};
    for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        bool keep = false;
        for (size_t i = 0; i < ARRAY_LEN(kept); i++)
            keep = keep || kept[i] == cap;
        if (!keep && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return err_errno(err, errno, "cannot give up capability %u", cap);
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* an old kernel has none */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(err, errno, "cannot give up new privileges");
    return 0;
}
