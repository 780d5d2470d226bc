/* SPDX-License-Identifier: Apache-2.0 */
#include "host/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, MAX_GROUPS = 4096 };

typedef struct Identity {
    uid_t uid;
    gid_t gid;
    gid_t groups[MAX_GROUPS];
    int n_groups;
} Identity;

static void identity_of_user(uid_t uid, Identity *ret)
{
    const struct passwd *entry = getpwuid(uid);
    *ret = (Identity){.uid = uid, .gid = entry ? entry->pw_gid : NOBODY, .n_groups = MAX_GROUPS};
    if (!entry || getgrouplist(entry->pw_name, entry->pw_gid, ret->groups, &ret->n_groups) < 0)
        ret->n_groups = 0; /* fewer groups have fewer rights: the answer is on the safe side */
}

/* 1: could not. In the child nothing but system calls: it is a copy of a process that may hold locks. */
static _Noreturn void ask_as(const Identity *who, const char *path, int mode)
{
    if (setgroups((size_t)who->n_groups, who->groups) < 0 || setresgid(who->gid, who->gid, who->gid) < 0 ||
        setresuid(who->uid, who->uid, who->uid) < 0)
        _exit(2);
    _exit(faccessat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) < 0);
}

static int ask(const Identity *who, const char *path, int mode, Err *err)
{
    int status;
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(err, errno, "cannot ask what user %u may do", who->uid);
    if (pid == 0)
        ask_as(who, path, mode);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return err_errno(err, errno, "cannot ask what user %u may do", who->uid);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return err_set(err, ERR_FAILED, "cannot become user %u to ask what he may do with %s", who->uid, path);
    return WEXITSTATUS(status);
}

static int ask_user(uid_t uid, const char *path, int mode, Err *err)
{
    Identity who;
    identity_of_user(uid, &who);
    return ask(&who, path, mode, err);
}

/* Who is in the group, by his own entry or by the group's. */
static void group_members(Arena *arena, gid_t gid, WriterVec *ret)
{
    const struct passwd *user;
    const struct group *group = getgrgid(gid);
    StringVec names = {0};
    for (char **name = group ? group->gr_mem : NULL; name && *name; name++)
        *vec_push(arena, &names) = arena_strdup(arena, *name);
    setpwent();
    while ((user = getpwent()) != NULL) {
        if (user->pw_uid != 0 && (user->pw_gid == gid || strings_contain(&names, user->pw_name)))
            writers_add(arena, ret, (Writer){WRITER_USER, user->pw_uid});
    }
    endpwent();
}

/* A group that nobody is known to be in still is one that a process can have. */
static int ask_group(Arena *arena, gid_t gid, const char *path, int mode, Err *err)
{
    WriterVec members = {0};
    int r = 0;
    group_members(arena, gid, &members);
    VEC_EACH (member, &members) {
        if (r == 0)
            r = ask_user(member->id, path, mode, err);
    }
    return members.n > 0 ? r : ask(&(Identity){.uid = NOBODY, .gid = gid}, path, mode, err);
}

int rights_of(Arena *arena, const WriterVec *writers, const char *path, int mode, Writer *ret_who, Err *err)
{
    VEC_EACH (writer, writers) {
        int r = 0;
        switch (writer->kind) {
        case WRITER_USER: r = ask_user(writer->id, path, mode, err); break;
        case WRITER_GROUP: r = ask_group(arena, writer->id, path, mode, err); break;
        case WRITER_ANYONE: r = ask(&(Identity){.uid = NOBODY, .gid = NOBODY}, path, mode, err); break;
        }
        if (r > 0)
            *ret_who = *writer;
        if (r != 0)
            return r;
    }
    return 0;
}

const char *writer_to_string(Arena *arena, Writer writer)
{
    const struct passwd *user = writer.kind == WRITER_USER ? getpwuid(writer.id) : NULL;
    const struct group *group = writer.kind == WRITER_GROUP ? getgrgid(writer.id) : NULL;
    if (user || group)
        return arena_concat(arena, user ? "user " : "group ", user ? user->pw_name : group->gr_name, "");
    return writer.kind == WRITER_ANYONE
               ? "everybody"
               : arena_printf(arena, "%s %u", writer.kind == WRITER_USER ? "user" : "group", writer.id);
}
