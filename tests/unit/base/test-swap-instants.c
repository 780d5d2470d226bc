/* SPDX-License-Identifier: Apache-2.0 */
/* One deed of a stranger at every instant: before each system call that a run makes in a directory of theirs, they give
 * one of the names there to something else. For every call, every name and every kind of thing: what is root's stays as
 * it is, nothing blocks, and the run ends as it should, with the file wholly old or wholly new.
 *
 * The calls are libc's functions that take a name or change a file, defined here in front of libc's. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "adversary.h"

#include <linux/fs.h>
#include <sys/syscall.h>

enum { CALLS_MAX = 1000, ROUND_SEC = 20 };

/* In the ordinary run every so many of the rounds, which are a prime number apart so that each call, name and kind has
 * its turn; SALVE_WHOLE=1 plays all. */
enum { SAMPLE = 11 };

static const char *const suffixes[] = {"", "-w", "-try", "-old", "-aside", "-taken"};
enum { NAMES = ARRAY_LEN(suffixes) + 1 }; /* and the live one */

static struct {
    Stage *stage;
    unsigned calls, at; /* the deed comes before the call of this number; 0: none */
    Evil evil;
    const char *name;
    bool armed, done;
} plot;

static void before_call(void)
{
    if (!plot.armed || ++plot.calls != plot.at)
        return;
    int saved = errno;
    plot.armed = false;
    plot.done = put_evil(plot.stage, plot.evil, plot.name);
    plot.armed = true;
    errno = saved;
}

#define INSTANT(result, name, params, number, ...)                                                                     \
    result name params                                                                                                 \
    {                                                                                                                  \
        before_call();                                                                                                 \
        return (result)syscall(number, __VA_ARGS__);                                                                   \
    }

INSTANT(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), SYS_renameat2, a, from, b, to,
        flags)
INSTANT(int, renameat, (int a, const char *from, int b, const char *to), SYS_renameat, a, from, b, to)
INSTANT(int, linkat, (int a, const char *from, int b, const char *to, int flags), SYS_linkat, a, from, b, to, flags)
INSTANT(int, unlinkat, (int dir, const char *name, int flags), SYS_unlinkat, dir, name, flags)
INSTANT(int, symlinkat, (const char *target, int dir, const char *name), SYS_symlinkat, target, dir, name)
INSTANT(int, mkdirat, (int dir, const char *name, mode_t mode), SYS_mkdirat, dir, name, mode)
INSTANT(int, fchmod, (int fd, mode_t mode), SYS_fchmod, fd, mode)
INSTANT(int, fchmodat, (int dir, const char *name, mode_t mode, int flags), SYS_fchmodat, dir, name, mode, flags)
INSTANT(int, fchownat, (int dir, const char *name, uid_t uid, gid_t gid, int flags), SYS_fchownat, dir, name, uid, gid,
        flags)
INSTANT(int, fsync, (int fd), SYS_fsync, fd)
INSTANT(ssize_t, write, (int fd, const void *data, size_t size), SYS_write, fd, data, size)
INSTANT(ssize_t, read, (int fd, void *data, size_t size), SYS_read, fd, data, size)
INSTANT(ssize_t, readlinkat, (int dir, const char *name, char *out, size_t size), SYS_readlinkat, dir, name, out, size)
INSTANT(int, fstatat64, (int dir, const char *name, struct stat64 *ret, int flags), SYS_newfstatat, dir, name, ret,
        flags)

int openat64(int dir, const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    before_call();
    return (int)syscall(SYS_openat, dir, name, flags | O_LARGEFILE, mode);
}

/* --- Stories --- */

typedef struct Story {
    const char *name;
    int (*steps[4])(Stage *stage, Err *err);
    bool kept;
    const char *fault; /* the file system that the steps meet */
} Story;

static int do_sync(Stage *stage, Err *err)
{
    return swap_sync(&stage->set, err);
}

static const Story stories[] = {
    {"kept", {do_prepare, do_sync, do_apply, do_finish}, true, ""},
    {"taken back", {do_prepare, do_apply, do_revert, do_finish}, false, ""},
    {"kept, where files are made under a name", {do_prepare, do_sync, do_apply, do_finish}, true, "create:EINVAL"},
    {"taken back, likewise", {do_prepare, do_apply, do_revert, do_finish}, false, "create:EINVAL"},
};

typedef struct Sides {
    const char *name;
    FileState before, after;
} Sides;

static const char *where(const Story *story)
{
    static char text[256];
    snprintf(text, sizeof text, "%s, call %u, %s is given to kind %d", story->name, plot.at, plot.name, (int)plot.evil);
    return text;
}

/* The run with its one deed. Only the live file may have stopped it, and what was found there then stays. */
static int play(Stage *stage, const Story *story)
{
    Err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(story->steps); i++) {
        int r = story->steps[i](stage, &err);
        if (r < 0)
            fail_msg("%s: step %zu failed: %s", where(story), i, err_text(&err));
        if (r == SWAP_FOREIGN && story->steps[i] == do_apply)
            return SWAP_FOREIGN;
    }
    return 0;
}

/* What a recovery does, with nobody about. A directory that somebody filled in the place of what was created stays. */
static void recover(Stage *stage, const Story *story)
{
    Err err = {0};
    if (do_revert(stage, &err) < 0 || do_finish(stage, &err) < 0)
        fail_msg("%s: recovery: %s", where(story), err_text(&err));
    bool filled = stage->edits.items[0].before.type == FILE_ABSENT && str_equal(plot.name, "conf") &&
                  (plot.evil == EVIL_FILLED || plot.evil == EVIL_ROOT_DIR);
    if (!filled && !live_is(stage, &stage->edits.items[0].before))
        fail_msg("%s: after its recovery the file is not as it was", where(story));
}

static void round_of(Stage *stage, const Story *story)
{
    Edit *edit = &stage->edits.items[0];
    bool of_live = str_equal(plot.name, "conf");
    stage_set(stage);
    if (edit->before.type == FILE_ABSENT)
        assert_int_equal(unlink(in_app(stage, "conf")), 0);
    if (edit->before.type == FILE_SYMLINK) {
        assert_int_equal(unlink(in_app(stage, "conf")), 0);
        assert_int_equal(symlink("before", in_app(stage, "conf")), 0);
    }
    alarm(ROUND_SEC);
    plot.calls = 0;
    plot.done = false;
    plot.armed = true;
    int r = play(stage, story);
    plot.armed = false;
    assert_unharmed(stage);
    if (r == 0 && !of_live && !live_is(stage, story->kept ? &edit->after : &edit->before))
        fail_msg("%s: the file is not as it should be", where(story));
    recover(stage, story);
    assert_unharmed(stage);
}

/* Every call, name and kind; ends when a run has no more calls. */
static void sweep(Sides sides, const Story *story)
{
    Stage *stage = stage_new(sides.before, sides.after);
    unsigned deeds = 0, calls = 1, rounds = 0, sample = getenv("SALVE_WHOLE") ? 1 : SAMPLE;
    plot.stage = stage;
    setenv("SALVE_FAULT", story->fault, 1);
#if SALVE_FAULT_INJECTION
    fault_reset();
#endif
    for (plot.at = 1; plot.at <= calls; plot.at++) {
        for (unsigned i = 0; i < NAMES * EVIL_COUNT; i++) {
            unsigned name = i / EVIL_COUNT;
            if (rounds++ % sample != 0)
                continue;
            char text[NAME_MAX + 1];
            snprintf(text, sizeof text, "%s%s", stage->dot, name < ARRAY_LEN(suffixes) ? suffixes[name] : "");
            plot.name = name < ARRAY_LEN(suffixes) ? text : "conf";
            plot.evil = (Evil)(i % EVIL_COUNT);
            round_of(stage, story);
            deeds += plot.done;
            if (plot.calls > calls)
                calls = plot.calls;
        }
        assert_true(plot.at < CALLS_MAX);
    }
    assert_true(calls > 20);
    assert_true(deeds > calls * NAMES / sample);
    alarm(0);
    unsetenv("SALVE_FAULT");
    stage_free(stage);
}

static void sweep_all(Sides sides)
{
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        if (SALVE_FAULT_INJECTION || !stories[i].fault[0])
            sweep(sides, &stories[i]);
    }
}

static void a_change_harms_nobody_and_is_stopped_by_nobody(void **state)
{
    (void)state;
    sweep_all((Sides){"change", stranger_state("before\n", 0644), stranger_state("after\n", 04755)});
}

static void a_creation_harms_nobody_and_is_stopped_by_nobody(void **state)
{
    (void)state;
    sweep_all((Sides){"creation", {.type = FILE_ABSENT, .content = BYTES("")}, stranger_state("after\n", 04755)});
}

static void a_new_directory_harms_nobody_and_is_stopped_by_nobody(void **state)
{
    (void)state;
    FileState after = stranger_state("", 0777);
    after.type = FILE_DIRECTORY;
    sweep_all((Sides){"directory", {.type = FILE_ABSENT, .content = BYTES("")}, after});
}

static void a_symlink_that_changes_harms_nobody_and_is_stopped_by_nobody(void **state)
{
    (void)state;
    FileState before = {.type = FILE_SYMLINK, .content = BYTES("before")};
    FileState after = {.type = FILE_SYMLINK, .uid = STRANGER, .gid = STRANGER, .content = BYTES("after")};
    sweep_all((Sides){"symlink", before, after});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_harms_nobody_and_is_stopped_by_nobody),
        cmocka_unit_test(a_creation_harms_nobody_and_is_stopped_by_nobody),
        cmocka_unit_test(a_new_directory_harms_nobody_and_is_stopped_by_nobody),
        cmocka_unit_test(a_symlink_that_changes_harms_nobody_and_is_stopped_by_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
