/* SPDX-License-Identifier: Apache-2.0 */
#include "store/git.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/files.h"
#include "store/git-internal.h"
#include "store/guarded.h"

enum { VERIFY_LIMIT_SEC = 30 };
enum { NO_COMMIT = 2 }; /* of verify; GUARDED_DIED is 1 */

struct Repo {
    git_repository *handle;
    Arena *arena;
    const char *path;
    StringVec trusted; /* commits that this process wrote or verified */
    unsigned limit_sec;
};

DEFINE_CLEANUP(git_index *, git_index_free)
DEFINE_CLEANUP(git_tree *, git_tree_free)
DEFINE_CLEANUP(git_commit *, git_commit_free)
DEFINE_CLEANUP(git_signature *, git_signature_free)
DEFINE_CLEANUP(git_blob *, git_blob_free)
DEFINE_CLEANUP(git_tree_entry *, git_tree_entry_free)
DEFINE_CLEANUP(git_reference *, git_reference_free)

static int raise_git(const Repo *repo, int code, const char *doing, Err *err)
{
    const git_error *error = git_error_last();
    int errnum = error && error->klass == GIT_ERROR_OS ? errno : 0;
    ErrKind kind = errnum == ENOSPC ? ERR_SPACE : errnum == EACCES ? ERR_DENIED : ERR_FAILED;
    return err_set(err, kind, "cannot %s the snapshots in %s: %s", doing, repo->path,
                   error && error->message ? error->message
                   : code == GIT_ENOTFOUND ? "not found"
                                           : "unknown error");
}

/* --- Opening --- */

/* REPO_NONE: it is not there. */
static int check_owner(const char *path, Err *err)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? REPO_NONE : err_errno(err, errno, "cannot open %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_REFUSED, "%s is not a directory", path);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return err_set(err, ERR_REFUSED,
                       "%s must belong to this user with mode 0700, because it holds copies of configuration; "
                       "look at what is in it, then: chown -R %u %s && chmod 0700 %s",
                       path, geteuid(), path, path);
    return 0;
}

/* libgit2 writes a ref, and HEAD, as NAME.lock first, and never gets past one that a crash left. Whoever writes here
 * holds the state's lock, so it is nobody else's. */
static int clear_file(Repo *repo, const char *name, const char *suffix, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/%s%s", repo->path, name, suffix);
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, errno, "cannot look at %s", path);
    return files_unlink(path, err) < 0 ? -(int)err->kind : 0;
}

/* A crash may have left it half made: initialising is repeatable. */
static int initialise(Repo *repo, Err *err)
{
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR;
    options.mode = 0700;
    options.initial_head = "none";
    int r = clear_file(repo, "HEAD", ".lock", err);
    if (r < 0 || (r = clear_file(repo, "config", ".lock", err)) < 0)
        return r;
    int fault = fault_point("git-init", repo->path);
    if (fault)
        return err_errno(err, fault, "cannot make %s", repo->path);
    git_repository *made = NULL;
    int code = git_repository_init_ext(&made, repo->path, &options);
    git_repository_free(made);
    if (code < 0)
        return raise_git(repo, code, "make", err);
    CLEANUP(fd_close) int fd = open(repo->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0700) < 0 || syncfs(fd) < 0)
        return err_errno(err, errno, "cannot make %s durable", repo->path);
    return 0;
}

static int open_repo(Repo *repo, bool create, Err *err)
{
    int r = check_owner(repo->path, err);
    if (r < 0 || (r == REPO_NONE && !create))
        return r;
    int sound = git_check_parts(repo->path, err);
    if (sound < 0)
        return sound;
    int code = r == REPO_NONE ? GIT_ENOTFOUND : git_repository_open_bare(&repo->handle, repo->path);
    if (code < 0 && create && (r = initialise(repo, err)) < 0)
        return r;
    if (code < 0 && create)
        code = git_repository_open_bare(&repo->handle, repo->path);
    return code < 0 ? raise_git(repo, code, "open", err) : 0;
}

int repo_open(const char *path, bool create, Repo **ret, Err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, git_library_set_up);
    Repo *repo = xmalloc(sizeof *repo);
    *repo = (Repo){.arena = arena_new(), .limit_sec = VERIFY_LIMIT_SEC};
    repo->path = arena_strdup(repo->arena, path);
    int r = open_repo(repo, create, err);
    if (r != 0) {
        repo_close(repo);
        return r;
    }
    *ret = repo;
    return 0;
}

void repo_close(Repo *repo)
{
    if (!repo)
        return;
    git_repository_free(repo->handle);
    arena_free(repo->arena);
    free(repo);
}

/* --- Writing --- */

/* Names are ours, but a wrong one must never reach libgit2's path handling. */
static bool name_is_sound(const char *path)
{
    size_t slashes = 0, len = strlen(path);
    for (const char *at = path; *at; at++) {
        slashes += *at == '/';
        if (*at != '/' && !(*at >= 'a' && *at <= 'z') && !(*at >= '0' && *at <= '9'))
            return false;
    }
    return len > 0 && slashes <= 1 && path[0] != '/' && path[len - 1] != '/';
}

static int add_file(Repo *repo, git_index *index, const RepoFile *file, Err *err)
{
    if (!name_is_sound(file->path))
        return err_set(err, ERR_INVALID, "%s is not a name for a snapshot's file", file->path);
    git_index_entry entry = {.mode = GIT_FILEMODE_BLOB, .path = file->path};
    int fault = fault_point("git-blob", file->path);
    if (fault)
        return err_errno(err, fault, "cannot write the snapshot");
    int code = git_blob_create_from_buffer(&entry.id, repo->handle, file->content.data, file->content.len);
    if (code == 0)
        code = git_index_add(index, &entry);
    return code < 0 ? raise_git(repo, code, "write", err) : 0;
}

static int write_tree(Repo *repo, const RepoFileVec *files, git_tree **ret, Err *err)
{
    CLEANUP(git_index_free) git_index *index = NULL;
    int code = git_index_new(&index);
    if (code < 0)
        return raise_git(repo, code, "write", err);
    VEC_EACH (file, files) {
        int r = add_file(repo, index, file, err);
        if (r < 0)
            return r;
    }
    git_oid tree;
    int fault = fault_point("git-tree", repo->path);
    if (fault)
        return err_errno(err, fault, "cannot write the snapshot");
    code = git_index_write_tree_to(&tree, index, repo->handle);
    if (code == 0)
        code = git_tree_lookup(ret, repo->handle, &tree);
    return code < 0 ? raise_git(repo, code, "write", err) : 0;
}

static int create_commit(Repo *repo, const char *message, usec when, const git_tree *tree, git_oid *ret, Err *err)
{
    CLEANUP(git_signature_free) git_signature *signature = NULL;
    int fault = fault_point("git-commit", repo->path);
    if (fault)
        return err_errno(err, fault, "cannot write the snapshot");
    int code = git_signature_new(&signature, "salve", "salve@localhost", (git_time_t)(when / USEC_PER_SEC), 0);
    if (code == 0)
        code = git_commit_create(ret, repo->handle, NULL, signature, signature, NULL, message, tree, 0, NULL);
    return code < 0 ? raise_git(repo, code, "write", err) : 0;
}

static int create_ref(Repo *repo, const char *name, const git_oid *commit, Err *err)
{
    CLEANUP(git_reference_free) git_reference *reference = NULL;
    int r = clear_file(repo, name, ".lock", err);
    if (r < 0)
        return r;
    int fault = fault_point("git-ref", name);
    if (fault)
        return err_errno(err, fault, "cannot write the snapshot");
    int code = git_reference_create(&reference, repo->handle, name, commit, 0, NULL);
    if (code != GIT_EEXISTS)
        return code < 0 ? raise_git(repo, code, "write", err) : 0;
    git_oid there;
    if (git_reference_name_to_id(&there, repo->handle, name) == 0 && git_oid_equal(&there, commit))
        return 0;
    return err_set(err, ERR_FAILED, "%s is in %s already", name, repo->path);
}

int repo_commit(Repo *repo, const char *ref, const char *message, usec when, const RepoFileVec *files,
                char ret_commit[65], Err *err)
{
    CLEANUP(git_tree_free) git_tree *tree = NULL;
    git_oid commit;
    int r = write_tree(repo, files, &tree, err);
    if (r < 0 || (r = create_commit(repo, message, when, tree, &commit, err)) < 0 ||
        (r = create_ref(repo, ref, &commit, err)) < 0)
        return r;
    git_oid_tostr(ret_commit, 65, &commit);
    *vec_push(repo->arena, &repo->trusted) = arena_strdup(repo->arena, ret_commit);
    return 0;
}

/* --- Reading --- */

static int trust(Repo *repo, const char *commit, Err *err);

/* REPO_NONE: not a commit that is here. */
static int find_commit(Repo *repo, const char *hex, git_commit **ret, Err *err)
{
    git_oid id;
    if (git_oid_fromstr(&id, hex) < 0)
        return REPO_NONE;
    int code = git_commit_lookup(ret, repo->handle, &id);
    if (code == GIT_ENOTFOUND)
        return REPO_NONE;
    return code < 0 ? raise_git(repo, code, "read", err) : 0;
}

int repo_tag(Repo *repo, const char *name, const char *commit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    git_oid id;
    if (git_oid_fromstr(&id, commit) < 0)
        return err_set(err, ERR_INVALID, "%s is not the name of a commit", commit);
    return create_ref(repo, arena_printf(arena, "refs/tags/%s", name), &id, err);
}

static int read_blob(Repo *repo, Arena *arena, const git_oid *id, Bytes *ret, Err *err)
{
    CLEANUP(git_blob_free) git_blob *blob = NULL;
    int code = git_blob_lookup(&blob, repo->handle, id);
    if (code < 0)
        return raise_git(repo, code, "read", err);
    size_t size = (size_t)git_blob_rawsize(blob);
    if (size > REPO_MAX_BLOB)
        return err_set(err, ERR_FAILED, "an object in %s is too large (%zu bytes)", repo->path, size);
    *ret = bytes_dup(arena, (Bytes){git_blob_rawcontent(blob), size});
    return 0;
}

int repo_read(Repo *repo, Arena *arena, const char *commit, const char *path, Bytes *ret, Err *err)
{
    CLEANUP(git_commit_free) git_commit *found = NULL;
    CLEANUP(git_tree_free) git_tree *tree = NULL;
    CLEANUP(git_tree_entry_free) git_tree_entry *entry = NULL;
    int r = trust(repo, commit, err);
    if (r != 0 || (r = find_commit(repo, commit, &found, err)) != 0)
        return r;
    int code = git_commit_tree(&tree, found);
    if (code == 0)
        code = git_tree_entry_bypath(&entry, tree, path);
    if (code == GIT_ENOTFOUND)
        return REPO_NONE;
    return code < 0 ? raise_git(repo, code, "read", err) : read_blob(repo, arena, git_tree_entry_id(entry), ret, err);
}

int repo_message(Repo *repo, Arena *arena, const char *commit, const char **ret, Err *err)
{
    CLEANUP(git_commit_free) git_commit *found = NULL;
    int r = trust(repo, commit, err);
    if (r == 0)
        r = find_commit(repo, commit, &found, err);
    if (r == 0)
        *ret = arena_strdup(arena, git_commit_message(found));
    return r;
}

int repo_ref(Repo *repo, const char *ref, char ret_commit[65], Err *err)
{
    git_oid id;
    int code = git_reference_name_to_id(&id, repo->handle, ref);
    if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
        return REPO_NONE;
    if (code < 0)
        return raise_git(repo, code, "read", err);
    git_oid_tostr(ret_commit, 65, &id);
    return 0;
}

int repo_refs(Repo *repo, Arena *arena, const char *glob, StringVec *ret, Err *err)
{
    git_reference_iterator *iterator;
    int code = git_reference_iterator_glob_new(&iterator, repo->handle, glob);
    if (code < 0)
        return raise_git(repo, code, "list", err);
    StringVec names = {0};
    const char *name;
    while ((code = git_reference_next_name(&name, iterator)) == 0)
        *vec_push(arena, &names) = arena_strdup(arena, name);
    git_reference_iterator_free(iterator);
    if (code != GIT_ITEROVER)
        return raise_git(repo, code, "list", err);
    strings_sort(&names);
    *ret = names;
    return 0;
}

/* --- Verifying --- */

typedef struct Verification {
    Repo *repo;
    const char *commit;
    Err *err;
    int r;
} Verification;

/* libgit2 compares every object that it reads with its name. */
static int verify_entry(const char *root, const git_tree_entry *entry, void *user)
{
    (void)root;
    Verification *verification = user;
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
        return 0;
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes content;
    verification->r = read_blob(verification->repo, arena, git_tree_entry_id(entry), &content, verification->err);
    return verification->r < 0 ? -1 : 0;
}

static int verify(void *user, Err *err)
{
    Verification *verification = user;
    CLEANUP(git_commit_free) git_commit *found = NULL;
    CLEANUP(git_tree_free) git_tree *tree = NULL;
    int r = find_commit(verification->repo, verification->commit, &found, err);
    if (r != 0)
        return r < 0 ? r : NO_COMMIT;
    verification->err = err;
    int code = git_commit_tree(&tree, found);
    if (code == 0)
        code = git_tree_walk(tree, GIT_TREEWALK_PRE, verify_entry, verification);
    if (verification->r < 0)
        return verification->r;
    return code < 0 ? raise_git(verification->repo, code, "verify", err) : 0;
}

/* libgit2 before 2026-08 never returns from an object that was cut short (its issue 7342): what this process did not
 * write is read in another process first. REPO_NONE: no such commit. */
static int trust(Repo *repo, const char *commit, Err *err)
{
    if (strings_contain(&repo->trusted, commit))
        return 0;
    Verification verification = {.repo = repo, .commit = commit};
    int r = guarded_call(verify, &verification, repo->limit_sec, err);
    if (r == GUARDED_DIED)
        return err_set(err, ERR_FAILED, "an object of %.12s in %s is cut short or cannot be read within %us", commit,
                       repo->path, repo->limit_sec);
    if (r != 0)
        return r < 0 ? r : REPO_NONE;
    *vec_push(repo->arena, &repo->trusted) = arena_strdup(repo->arena, commit);
    return 0;
}

int repo_verify(Repo *repo, const char *commit, Err *err)
{
    repo->trusted.n = 0;
    int r = trust(repo, commit, err);
    return r > 0 ? err_set(err, ERR_FAILED, "the snapshot %s is not in %s", commit, repo->path) : r;
}

void repo_set_limit(Repo *repo, unsigned limit_sec)
{
    repo->limit_sec = limit_sec;
}

/* --- Removing --- */

int repo_remove_ref(Repo *repo, const char *ref, Err *err)
{
    int r = clear_file(repo, ref, ".lock", err);
    if (r < 0)
        return r;
    int fault = fault_point("git-unref", ref);
    if (fault)
        return err_errno(err, fault, "cannot remove %s", ref);
    char commit[65];
    r = repo_ref(repo, ref, commit, err);
    if (r != 0)
        return r < 0 ? clear_file(repo, ref, "", err) : r; /* what cannot be read need not be */
    int code = git_reference_remove(repo->handle, ref);
    return code < 0 ? raise_git(repo, code, "prune", err) : 0;
}

typedef struct Reach {
    Repo *repo;
    Arena *arena;
    const StringVec *commits;
    StringVec names;
} Reach;

static void reach(Reach *reach, const git_oid *id)
{
    char hex[65];
    *vec_push(reach->arena, &reach->names) = arena_strdup(reach->arena, git_oid_tostr(hex, sizeof hex, id));
}

static int reach_entry(const char *root, const git_tree_entry *entry, void *user)
{
    (void)root;
    reach(user, git_tree_entry_id(entry));
    return 0;
}

static int reach_commit(Reach *all, const char *hex, Err *err)
{
    CLEANUP(git_commit_free) git_commit *commit = NULL;
    CLEANUP(git_tree_free) git_tree *tree = NULL;
    int r = find_commit(all->repo, hex, &commit, err);
    if (r != 0)
        return r < 0 ? r : err_set(err, ERR_FAILED, "the commit %s is not in %s", hex, all->repo->path);
    int code = git_commit_tree(&tree, commit);
    if (code == 0)
        code = git_tree_walk(tree, GIT_TREEWALK_PRE, reach_entry, all);
    if (code < 0)
        return raise_git(all->repo, code, "read", err);
    reach(all, git_commit_id(commit));
    reach(all, git_tree_id(tree));
    return 0;
}

static int reach_all(void *user, Err *err)
{
    Reach *all = user;
    int r = 0;
    for (size_t i = 0; r == 0 && i < all->commits->n; i++)
        r = reach_commit(all, all->commits->items[i], err);
    return r;
}

/* First in another process, because libgit2 may not come back from a damaged object (see trust). */
int repo_reachable(Repo *repo, Arena *arena, const StringVec *commits, StringVec *ret, Err *err)
{
    Reach all = {.repo = repo, .arena = arena, .commits = commits};
    int r = guarded_call(reach_all, &all, repo->limit_sec, err);
    if (r == GUARDED_DIED)
        return err_set(err, ERR_FAILED, "an object in %s is damaged, or cannot be read within %us", repo->path,
                       repo->limit_sec);
    if (r == 0)
        r = reach_all(&all, err);
    if (r < 0)
        return r;
    strings_sort(&all.names);
    *ret = all.names;
    return 0;
}

int repo_has(Repo *repo, const char *hex, Err *err)
{
    CLEANUP(git_commit_free) git_commit *commit = NULL;
    return find_commit(repo, hex, &commit, err);
}

const char *repo_path(const Repo *repo)
{
    return repo->path;
}
