/* SPDX-License-Identifier: Apache-2.0 */
/* Races against a process without rights that owns the directory: for each operation a thousand rounds (SALVE_WHOLE=1;
 * a quarter of them in the ordinary run), in which it takes our names as fast as it can. Each round ends by itself,
 * harms nothing of root's, and leaves a file that a recovery brings back.
 *
 * In half of the rounds the racer waits for names to appear and takes those at once; in the others it takes all names
 * all the time. Files without a name are made by every other round only: in the others there is something to take. */
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>

#include "adversary.h"

enum { ROUNDS = 1000, ORDINARY_ROUNDS = 250, ROUND_SEC = 30, BIG = 64 << 10 };

typedef int (*Step)(Stage *stage, Err *err);

/* The steps before `raced` are undisturbed. */
typedef struct Race {
    Step quiet[3], raced[3];
    unsigned events;            /* what the waiting racer waits for */
    const char *const names[5]; /* what follows the dot name; "conf" is the file itself */
} Race;

static volatile struct {
    unsigned taken; /* names that the racer got, of all rounds */
} * shared;

/* --- The racer --- */

static void take(Stage *stage, const Race *race, unsigned *turn)
{
    for (size_t i = 0; race->names[i]; i++) {
        char name[NAME_MAX + 1];
        Evil evil = (Evil)((*turn)++ % EVIL_COUNT);
        snprintf(name, sizeof name, "%s%s", stage->dot, race->names[i]);
        if (put_evil(stage, evil, str_equal(race->names[i], "conf") ? "conf" : name))
            shared->taken++;
    }
}

static void take_what_comes(Stage *stage, const Race *race, int watch, unsigned *turn)
{
    char buffer[4096] __attribute__((aligned(8)));
    if (read(watch, buffer, sizeof buffer) > 0)
        take(stage, race, turn);
}

static _Noreturn void be_racer(Stage *stage, const Race *race, bool waits)
{
    unsigned turn = 0;
    int watch = inotify_init1(IN_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setgroups(0, NULL) < 0 || setgid(STRANGER) < 0 || setuid(STRANGER) < 0 ||
        inotify_add_watch(watch, in_app(stage, ""), race->events) < 0)
        _exit(1);
    raise(SIGSTOP);
    for (;;) {
        if (waits)
            take_what_comes(stage, race, watch, &turn);
        else
            take(stage, race, &turn);
        arena_free(stage->tree.arena);
        stage->tree.arena = arena_new();
    }
}

static void wait_until_stopped(pid_t racer)
{
    int status;
    assert_int_equal(waitpid(racer, &status, WUNTRACED), racer);
    assert_true(WIFSTOPPED(status));
}

/* --- A round --- */

/* ERR_FOREIGN and ERR_REFUSED before anything is live: the run is refused. */
static bool may_answer(Step step, int r)
{
    bool forward = step == do_prepare || step == do_apply;
    return r >= 0 || r == -ERR_FOREIGN || (forward && r == -ERR_REFUSED);
}

static void play(Stage *stage, const Race *race, pid_t racer, bool waits)
{
    Err err = {0};
    int r = 0;
    unsigned taken = shared->taken;
    for (size_t i = 0; i < ARRAY_LEN(race->quiet) && race->quiet[i]; i++)
        assert_int_equal(race->quiet[i](stage, &err), 0);
    alarm(ROUND_SEC);
    kill(racer, SIGCONT);
    while (!waits && shared->taken == taken) /* it is at work */
        sched_yield();
    for (size_t i = 0; r >= 0 && i < ARRAY_LEN(race->raced) && race->raced[i]; i++) {
        r = race->raced[i](stage, &err);
        if (!may_answer(race->raced[i], r))
            fail_msg("step %zu: %s", i, err_text(&err));
    }
    kill(racer, SIGSTOP);
    wait_until_stopped(racer);
    assert_unharmed(stage);
    if (do_revert(stage, &err) < 0 || do_finish(stage, &err) < 0)
        fail_msg("the recovery: %s", err_text(&err));
    assert_true(live_is(stage, &stage->edits.items[0].before));
    assert_unharmed(stage);
}

static void race_rounds(Stage *stage, const Race *race, bool waits, bool named, unsigned rounds)
{
    pid_t racer = fork();
    if (racer == 0)
        be_racer(stage, race, waits);
    wait_until_stopped(racer);
    setenv("SALVE_FAULT", named ? "create:EINVAL" : "", 1);
#if SALVE_FAULT_INJECTION
    fault_reset();
#endif
    for (unsigned i = 0; i < rounds; i++) {
        stage_set(stage);
        play(stage, race, racer, waits);
    }
    alarm(0);
    unsetenv("SALVE_FAULT");
    kill(racer, SIGKILL);
    assert_int_equal(waitpid(racer, NULL, 0), racer);
}

static void race_of(const Race *race)
{
    if (geteuid() != 0)
        skip();
    char *big = malloc(BIG + 1);
    memset(big, 'x', BIG);
    big[BIG] = '\0';
    Stage *stage = stage_new(stranger_state("before\n", 0644), stranger_state(big, 04755));
    unsigned rounds = getenv("SALVE_WHOLE") ? ROUNDS : ORDINARY_ROUNDS;
    shared->taken = 0;
    for (unsigned i = 0; i < 4; i++)
        race_rounds(stage, race, i & 1, i & 2, rounds / 4);
    assert_true(shared->taken >= rounds / 2);
    stage_free(stage);
    free(big);
}

#define WHATEVER (IN_CREATE | IN_MOVED_TO)

static void a_name_is_taken_while_a_file_is_created(void **state)
{
    (void)state;
    race_of(&(Race){{0}, {do_prepare}, WHATEVER, {"", "-w", "-try"}});
}

static void a_name_is_taken_while_its_file_is_written(void **state)
{
    (void)state;
    race_of(&(Race){{0}, {do_prepare}, IN_MODIFY, {"-w"}});
}

static void a_name_is_taken_while_its_file_gets_its_attributes(void **state)
{
    (void)state;
    race_of(&(Race){{0}, {do_prepare}, IN_ATTRIB, {"-w", ""}});
}

static int sync_all(Stage *stage, Err *err)
{
    return swap_sync(&stage->set, err);
}

static void a_name_is_taken_while_its_file_is_synced(void **state)
{
    (void)state;
    race_of(&(Race){{0}, {do_prepare, sync_all}, IN_CLOSE_WRITE | IN_CREATE, {"-w", ""}});
}

static void a_name_is_taken_while_it_is_exchanged(void **state)
{
    (void)state;
    race_of(&(Race){{do_prepare, sync_all}, {do_apply}, IN_OPEN | WHATEVER, {""}});
}

static void names_are_taken_while_the_file_is_put_back(void **state)
{
    (void)state;
    race_of(&(Race){{do_prepare, do_apply}, {do_revert}, IN_OPEN | WHATEVER, {"", "-old", "-w"}});
}

static int look(Stage *stage, Err *err)
{
    FileState state;
    SwapPlace place;
    const char *path;
    int r = 0;
    for (int i = 0; r >= 0 && i < 20; i++) {
        r = swap_locate(&stage->set, &stage->edits.items[0], &place, err);
        if (r >= 0)
            r = swap_dot_state(stage->tree.arena, &stage->set, &stage->edits.items[0], &state, &path, err);
    }
    return r;
}

static void names_are_taken_while_they_are_read_back(void **state)
{
    (void)state;
    race_of(&(Race){{do_prepare}, {look}, IN_OPEN | IN_ACCESS, {"", "conf"}});
}

static int spoil(Stage *stage, Err *err)
{
    (void)err;
    return put_evil(stage, EVIL_FILE, stage->dot) ? 0 : -1;
}

static void names_are_taken_while_a_foreign_file_is_moved_aside(void **state)
{
    (void)state;
    race_of(&(Race){{do_prepare, do_apply, spoil}, {do_finish}, WHATEVER, {"-aside", "-aside-2", "-taken", ""}});
}

static void names_are_taken_while_dot_files_are_removed(void **state)
{
    (void)state;
    race_of(&(Race){{do_prepare, do_apply}, {do_finish}, IN_OPEN | IN_DELETE, {"", "-w", "-try", "-old"}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_taken_while_a_file_is_created),
        cmocka_unit_test(a_name_is_taken_while_its_file_is_written),
        cmocka_unit_test(a_name_is_taken_while_its_file_gets_its_attributes),
        cmocka_unit_test(a_name_is_taken_while_its_file_is_synced),
        cmocka_unit_test(a_name_is_taken_while_it_is_exchanged),
        cmocka_unit_test(names_are_taken_while_the_file_is_put_back),
        cmocka_unit_test(names_are_taken_while_they_are_read_back),
        cmocka_unit_test(names_are_taken_while_a_foreign_file_is_moved_aside),
        cmocka_unit_test(names_are_taken_while_dot_files_are_removed),
    };
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
