/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sim.h"
#include "tree.h"

static char base[PATH_MAX / 2], root_path[PATH_MAX];

const char world_playbook[] =
    "salve: 1\n"
    "name: give-time\n"
    "summary: The run under test.\n"
    "changes:\n"
    "  - gunicorn: {unit: gunicorn.service, exactly: {timeout: 60s}}\n"
    "  - nginx: {upstream_of: gunicorn.service, set: {proxy_read_timeout: 65s}}\n"
    "  - unit: {unit: gunicorn.service, set: {LimitNOFILE: 4096}}\n"
    "  - template: {name: limits.conf, path: /etc/nginx/conf.d/limits.conf}\n"
    "  - symlink: {path: /etc/nginx/sites-enabled/extra, target: ../sites-available/extra}\n"
    "  - symlink: {path: /etc/nginx/sites-enabled/old, target: ../sites-available/extra}\n"
    "verify:\n"
    "  {warmup: 0s, settle: 100ms, window: 1s, interval: 200ms, checks: [http: {name: health, url: "
    "\"http://127.0.0.1/\", max: {max: 1s}}]}\n";

static const struct {
    const char *path, *content;
} files[] = {
    {"/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n"},
    {"/etc/group", "root:x:0:\nadm:x:4:\nwww-data:x:33:\n"},
    {"/etc/systemd/system/" SIM_GUNICORN, "[Service]\nEnvironmentFile=" WORLD_ENV "\nLimitNOFILE=1024\n"
                                          "ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 site.wsgi:application\n"},
    {"/usr/lib/systemd/system/" SIM_NGINX, "[Service]\nExecStart=/usr/sbin/nginx\n"},
    {WORLD_ENV, "GUNICORN_CMD_ARGS=\"--timeout 30 --graceful-timeout 7 --workers 2\"\n"},
    {"/etc/nginx/nginx.conf", "events { }\nhttp {\n  include /etc/nginx/conf.d/*.conf;\n"
                              "  include /etc/nginx/sites-enabled/*;\n}\n"},
    {"/etc/nginx/conf.d/types.conf", "types { text/html html; }\n"},
    {"/etc/nginx/sites-available/site",
     "server {\n  listen 80;\n  location / {\n    proxy_pass http://127.0.0.1:8000;\n"
     "    proxy_read_timeout 40s;\n  }\n}\n"},
    {"/etc/nginx/sites-available/extra", "server {\n  listen 81;\n}\n"},
    {"/etc/nginx/sites-available/old", "server {\n  listen 82;\n}\n"},
    {"/etc/salve/templates/limits.conf", "{{! escape: nginx }}\nclient_max_body_size 10m;\n"},
    {"/usr/bin/gunicorn", "#!/usr/bin/python3\n"},
    {"/usr/sbin/nginx", "nginx\n"},
    {"/proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n"},
    {"/proc/stat", "cpu  0\ncpu0 0\ncpu1 0\nbtime 1700000000\n"},
    {"/var/log/nginx/error.log", ""},
    {"/var/log/nginx/access.log", ""},
    {"/var/lib/.keep", ""},
};

__attribute__((format(printf, 1, 2))) static void give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("crash-sim: ", stderr);
    vfprintf(stderr, format, args);
    fprintf(stderr, ": %s\n", strerror(errno));
    va_end(args);
    exit(2);
}

const char *world_root(void)
{
    return root_path;
}

void world_write(const char *path, Bytes content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, content.data, content.len) != (ssize_t)content.len)
        give_up("%s", path);
    close(fd);
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + strlen(root_path) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            give_up("%s", path);
        *slash = '/';
    }
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag;
    return ftw->level == 0 ? 0 : remove(path);
}

static void empty(const char *dir)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* In a mount namespace of its own: what is mounted here nobody else sees, and it ends with the process. */
void world_mount(const char *dir)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        give_up("cannot make a mount namespace (this needs root)");
    snprintf(base, sizeof base, "%s", dir ? dir : "/dev/shm");
    if (!dir && mount("crash", base, "tmpfs", 0, "mode=0755") < 0)
        give_up("%s", base);
    if (dir && mkdir(base, 0755) < 0 && errno != EEXIST)
        give_up("%s", base);
    snprintf(root_path, sizeof root_path, "%s/host", base);
    mkdir(root_path, 0755);
}

static void link_proc(void)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/kernel", root_path);
    mkdir(path, 0755);
    if (mount("proc", path, "proc", 0, NULL) < 0)
        give_up("%s", path);
    snprintf(path, sizeof path, "%s/proc/self", root_path);
    if (symlink("/kernel/self", path) < 0)
        give_up("%s", path);
}

static void unmount_proc(void)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/kernel", root_path);
    umount2(path, MNT_DETACH);
}

static void make_special(void)
{
    char path[PATH_MAX + 128];
    const char *const links[] = {"site", "old"};
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        char target[64];
        snprintf(path, sizeof path, "%s/etc/nginx/sites-enabled/%s", root_path, links[i]);
        snprintf(target, sizeof target, "../sites-available/%s", links[i]);
        make_parents(path);
        if (symlink(target, path) < 0)
            give_up("%s", path);
    }
    snprintf(path, sizeof path, "%s" WORLD_ENV, root_path);
    if (chown(path, 0, 33) < 0 || chmod(path, 0640) < 0 || setxattr(path, "trusted.note", "mine", 4, 0) < 0)
        give_up("%s", path);
    snprintf(path, sizeof path, "%s/etc/nginx/sites-available/site", root_path);
    if (chown(path, 33, 4) < 0 || chmod(path, 0604) < 0)
        give_up("%s", path);
}

void world_make(void)
{
    char path[PATH_MAX + 128];
    unmount_proc();
    empty(root_path);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof path, "%s%s", root_path, files[i].path);
        make_parents(path);
        world_write(path, bytes_of(files[i].content));
    }
    make_special();
    link_proc();
    services_boot(root_path);
}

/* --- Copies --- */

static const char *copy_from, *copy_to;

static void copy_attributes(const char *from, const char *to, const struct stat *st)
{
    char names[1024], value[1024];
    ssize_t len = llistxattr(from, names, sizeof names);
    if (lchown(to, st->st_uid, st->st_gid) < 0 || (!S_ISLNK(st->st_mode) && chmod(to, st->st_mode & 07777) < 0))
        give_up("%s", to);
    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
        ssize_t size = lgetxattr(from, names + at, value, sizeof value);
        if (size >= 0 && lsetxattr(to, names + at, value, (size_t)size, 0) < 0)
            give_up("%s", to);
    }
}

static void copy_content(const char *from, const char *to)
{
    static char data[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = 0;
    while (in >= 0 && out >= 0 && (n = read(in, data, sizeof data)) > 0) {
        if (write(out, data, (size_t)n) != n)
            give_up("%s", to);
    }
    if (in < 0 || out < 0 || n < 0)
        give_up("%s -> %s", from, to);
    close(in);
    close(out);
}

static int copy_entry(const char *from, const struct stat *st, int flag, struct FTW *ftw)
{
    char to[PATH_MAX * 2], target[PATH_MAX];
    (void)flag;
    snprintf(to, sizeof to, "%s%s", copy_to, from + strlen(copy_from));
    if (S_ISDIR(st->st_mode)) {
        if (mkdir(to, 0700) < 0 && errno != EEXIST)
            give_up("%s", to);
    } else if (S_ISLNK(st->st_mode)) {
        ssize_t n = readlink(from, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        if (symlink(target, to) < 0)
            give_up("%s", to);
    } else {
        copy_content(from, to);
    }
    if (ftw->level > 0)
        copy_attributes(from, to, st);
    return 0;
}

static void copy(const char *from, const char *to)
{
    copy_from = from;
    copy_to = to;
    if (nftw(from, copy_entry, 16, FTW_PHYS | FTW_MOUNT) != 0)
        give_up("%s", from);
}

void world_save(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", base, name);
    mkdir(path, 0755);
    empty(path);
    copy(root_path, path);
}

void world_load(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", base, name);
    empty(root_path);
    copy(path, root_path);
    services_boot(root_path);
}
