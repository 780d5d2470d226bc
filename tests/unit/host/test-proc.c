/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <sys/socket.h>
#include <netinet/in.h>

#include "host/proc.h"

static Err err;

/* A process of the fixture; title: its command line with NULs between the arguments. */
static void put_process(TempTree *tree, int pid, int parent, char state, const char *comm, unsigned start,
                        const void *title, size_t len)
{
    tree_write(tree, arena_printf(tree->arena, "proc/%d/stat", pid),
               arena_printf(tree->arena, "%d (%s) %c %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %u 999 11\n", pid,
                            comm, state, parent, start));
    tree_put(tree, arena_printf(tree->arena, "proc/%d/cmdline", pid), "we", title, len);
}

#define PUT(pid, parent, state, start, title)                                                                          \
    put_process(tree, pid, parent, state, "nginx", start, title, sizeof(title) - 1)

static void a_name_with_parentheses_does_not_confuse(void **state)
{
    TempTree *tree = *state;
    put_process(tree, 7, 3, 'S', "a) R (b c", 12345, "x", 1);
    ProcStat stat;
    assert_int_equal(proc_stat(tree->root, tree->arena, 7, &stat, &err), 0);
    assert_string_equal(stat.comm, "a) R (b c");
    assert_int_equal(stat.state, 'S');
    assert_int_equal(stat.parent, 3);
    assert_int_equal(stat.start_ticks, 12345);
    assert_int_equal(proc_stat(tree->root, tree->arena, 8, &stat, &err), -ERR_NOT_FOUND);
}

static void the_command_line_is_split_and_a_title_is_one(void **state)
{
    TempTree *tree = *state;
    StringVec argv;
    PUT(7, 1, 'S', 1, "gunicorn\0--bind\0\0app:app\0");
    assert_int_equal(proc_cmdline(tree->root, tree->arena, 7, &argv, &err), 0);
    assert_int_equal(argv.n, 4);
    assert_string_equal(argv.items[2], "");
    assert_string_equal(argv.items[3], "app:app");
    PUT(8, 1, 'S', 1, "nginx: worker process\0\0\0\0\0");
    assert_int_equal(proc_cmdline(tree->root, tree->arena, 8, &argv, &err), 0);
    assert_int_equal(argv.n, 1);
    PUT(9, 1, 'Z', 1, "");
    assert_int_equal(proc_cmdline(tree->root, tree->arena, 9, &argv, &err), 0);
    assert_int_equal(argv.n, 0);
}

static void the_files_that_a_process_writes_are_told_by_their_present_names(void **state)
{
    TempTree *tree = *state;
    WrittenFileVec files;
    tree_write(tree, "read", "x");
    FILE *read = fopen(tree_path(tree, "read"), "re"), *log = fopen(tree_place(tree, "log"), "ae");
    assert_true(read && log);
    assert_int_equal(rename(tree_path(tree, "log"), tree_path(tree, "log.1")), 0);
    assert_int_equal(proc_written_files("", tree->arena, getpid(), &files, &err), 0);
    size_t found = 0;
    VEC_EACH (file, &files) {
        assert_string_not_equal(file->path, tree_path(tree, "log"));
        assert_string_not_equal(file->path, tree_path(tree, "read"));
        found += strcmp(file->path, tree_path(tree, "log.1")) == 0 && access(file->open, W_OK) == 0;
    }
    assert_int_equal(found, 1);
    assert_int_equal(fclose(log) | fclose(read), 0);
    assert_int_equal(proc_written_files(tree->root, tree->arena, 7, &files, &err), -ERR_NOT_FOUND);
}

static void nginx_workers_are_told_by_their_titles(void **state)
{
    TempTree *tree = *state;
    WorkerVec workers;
    PUT(10, 1, 'S', 5, "nginx: master process /usr/sbin/nginx\0");
    PUT(11, 10, 'S', 6, "nginx: worker process is shutting down\0");
    PUT(12, 10, 'S', 9, "nginx: worker process\0");
    PUT(13, 10, 'S', 9, "nginx: cache manager process\0");
    PUT(14, 10, 'Z', 9, "nginx: worker process\0");
    PUT(15, 99, 'S', 9, "nginx: worker process\0");
    assert_int_equal(proc_nginx_workers(tree->root, tree->arena, 10, &workers, &err), 0);
    assert_int_equal(workers.n, 2);
    assert_int_equal(workers.items[0].pid, 11);
    assert_true(workers.items[0].shutting_down);
    assert_int_equal(workers.items[1].pid, 12);
    assert_int_equal(workers.items[1].start_ticks, 9);
    assert_false(workers.items[1].shutting_down);
    assert_int_equal(proc_nginx_workers(tree->root, tree->arena, 77, &workers, &err), -ERR_NOT_FOUND);
}

static void gunicorn_workers_are_forks_of_the_arbiter(void **state)
{
    TempTree *tree = *state;
    WorkerVec workers;
    PUT(20, 1, 'S', 5, "/usr/bin/python3\0/usr/bin/gunicorn\0app:app\0");
    PUT(21, 20, 'S', 6, "/usr/bin/python3\0/usr/bin/gunicorn\0app:app\0");
    PUT(22, 20, 'S', 6, "gunicorn: worker [app]\0");
    PUT(23, 20, 'S', 6,
        "sleep\0"
        "5\0");
    PUT(24, 20, 'Z', 6, "");
    assert_int_equal(proc_gunicorn_workers(tree->root, tree->arena, 20, &workers, &err), 0);
    assert_int_equal(workers.n, 2);
    assert_int_equal(workers.items[0].pid, 21);
    assert_int_equal(workers.items[1].pid, 22);
}

static void only_the_asked_variable_is_given(void **state)
{
    TempTree *tree = *state;
    const char *value = "";
    static const char environ_text[] = "SECRET_KEY=x\0KEY=wanted=1\0KEYS=no\0EMPTY=\0";
    tree_put(tree, "proc/7/environ", "we", environ_text, sizeof environ_text - 1);
    assert_int_equal(proc_environ_get(tree->root, tree->arena, 7, "KEY", &value, &err), 0);
    assert_string_equal(value, "wanted=1");
    assert_int_equal(proc_environ_get(tree->root, tree->arena, 7, "EMPTY", &value, &err), 0);
    assert_string_equal(value, "");
    assert_int_equal(proc_environ_get(tree->root, tree->arena, 7, "EY", &value, &err), 0);
    assert_null(value);
}

static void the_control_group_is_systemds(void **state)
{
    TempTree *tree = *state;
    const char *path;
    tree_write(tree, "proc/1/cgroup", "0::/system.slice/a.service\n");
    tree_write(tree, "proc/2/cgroup", "5:memory:/x\n1:name=systemd:/system.slice/b.service\n0::/\n");
    tree_write(tree, "proc/3/cgroup", "1:name=systemd:/\n0::/system.slice/c.service\n");
    tree_write(tree, "proc/4/cgroup", "5:memory:/x\n");
    const char *const wanted[] = {"/system.slice/a.service", "/system.slice/b.service", "/system.slice/c.service"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(proc_cgroup(tree->root, tree->arena, i + 1, &path, &err), 0);
        assert_string_equal(path, wanted[i]);
    }
    assert_int_equal(proc_cgroup(tree->root, tree->arena, 4, &path, &err), -ERR_NOT_FOUND);
}

static void owner_memory_and_links_are_read(void **state)
{
    TempTree *tree = *state;
    uid_t uid;
    gid_t gid;
    uint64_t rss, pss;
    const char *path;
    tree_write(tree, "proc/7/status", "Name:\tx\nUid:\t1000\t33\t1000\t1000\nGid:\t5\t6\t7\t8\nVmRSS:\t    2048 kB\n");
    assert_int_equal(proc_owner(tree->root, 7, &uid, &gid, &err), 0);
    assert_int_equal(uid, 33);
    assert_int_equal(gid, 6);
    assert_int_equal(proc_memory(tree->root, 7, &rss, &pss, &err), 0);
    assert_int_equal(rss, 2048 * 1024);
    assert_true(pss == UINT64_MAX);
    tree_write(tree, "proc/7/smaps_rollup", "0-1 ---p 0 0:0 0 [rollup]\nRss: 1 kB\nPss:  3 kB\nPss_Anon: 1 kB\n");
    assert_int_equal(proc_memory(tree->root, 7, &rss, &pss, &err), 0);
    assert_int_equal(pss, 3 * 1024);
    tree_link(tree, "proc/7/cwd", "/srv/site");
    assert_int_equal(proc_cwd(tree->root, tree->arena, 7, &path, &err), 0);
    assert_string_equal(path, "/srv/site");
    assert_int_equal(proc_exe(tree->root, tree->arena, 7, &path, &err), -ERR_NOT_FOUND);
}

static void the_listener_is_found_through_its_socket(void **state)
{
    TempTree *tree = *state;
    pid_t pid;
    tree_write(tree, "proc/net/tcp",
               "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
               "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0\n"
               "   1: 0100007F:1F41 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4343 1 0\n");
    tree_write(tree, "proc/net/unix",
               "Num       RefCount Protocol Flags    Type St Inode Path\n"
               "0000000000000000: 00000002 00000000 00010000 0001 01 777 /run/gunicorn.sock\n"
               "0000000000000000: 00000003 00000000 00000000 0001 03 778 /run/other.sock\n");
    tree_link(tree, "proc/1/fd/9", "socket:[777]");
    tree_link(tree, "proc/30/fd/5", "socket:[4242]");
    tree_link(tree, "proc/31/fd/5", "socket:[4242]");
    tree_link(tree, "proc/31/fd/6", "socket:[777]");
    tree_link(tree, "proc/31/fd/7", "/dev/null");
    assert_int_equal(proc_listener_tcp(tree->root, tree->arena, 8000, &pid, &err), 0);
    assert_int_equal(pid, 30);
    assert_int_equal(proc_listener_tcp(tree->root, tree->arena, 8001, &pid, &err), -ERR_NOT_FOUND);
    /* PID 1 holds it for the socket unit; the service is the one meant. */
    assert_int_equal(proc_listener_unix(tree->root, tree->arena, "/run/gunicorn.sock", &pid, &err), 0);
    assert_int_equal(pid, 31);
    assert_int_equal(proc_listener_unix(tree->root, tree->arena, "/run/other.sock", &pid, &err), -ERR_NOT_FOUND);
}

static void the_machine_is_read(void **state)
{
    TempTree *tree = *state;
    const char *id;
    unsigned n;
    usec start;
    tree_write(tree, "proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
    tree_write(tree, "proc/stat", "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\nbtime 1000\n");
    assert_int_equal(proc_boot_id(tree->root, tree->arena, &id, &err), 0);
    assert_string_equal(id, "0123456789abcdef0123456789abcdef");
    assert_int_equal(proc_cpu_count(tree->root, &n, &err), 0);
    assert_int_equal(n, 2);
    PUT(7, 1, 'S', 250, "x\0");
    assert_int_equal(proc_start_time(tree->root, 7, &start, &err), 0);
    assert_int_equal(start, 1000 * USEC_PER_SEC + 250 * USEC_PER_SEC / (usec)sysconf(_SC_CLK_TCK));
}

static void this_process_is_seen_on_the_live_host(void **state)
{
    TempTree *tree = *state;
    ProcStat stat;
    PidVec pids;
    assert_int_equal(proc_stat("", tree->arena, getpid(), &stat, &err), 0);
    assert_int_equal(stat.parent, getppid());
    assert_int_equal(proc_children("", tree->arena, getppid(), &pids, &err), 0);
    bool found = false;
    VEC_EACH (pid, &pids) {
        found = found || *pid == getpid();
    }
    assert_true(found);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    pid_t owner = 0;
    assert_int_equal(proc_listener_tcp("", tree->arena, ntohs(address.sin_port), &owner, &err), 0);
    assert_int_equal(owner, getpid());
    close(fd);
}

static void children_are_counted_as_the_kernel_lists_them(void **state)
{
    TempTree *tree = *state;
    size_t n;
    tree_write(tree, "proc/7/task/7/children", "8 9 12 ");
    assert_int_equal(proc_child_hint(tree->root, 7, &n, &err), 0);
    assert_int_equal(n, 3);
    tree_write(tree, "proc/8/task/8/children", "");
    assert_int_equal(proc_child_hint(tree->root, 8, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(proc_child_hint(tree->root, 9, &n, &err), -ERR_NOT_FOUND);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(children_are_counted_as_the_kernel_lists_them),
        T(a_name_with_parentheses_does_not_confuse),
        T(the_command_line_is_split_and_a_title_is_one),
        T(the_files_that_a_process_writes_are_told_by_their_present_names),
        T(nginx_workers_are_told_by_their_titles),
        T(gunicorn_workers_are_forks_of_the_arbiter),
        T(only_the_asked_variable_is_given),
        T(the_control_group_is_systemds),
        T(owner_memory_and_links_are_read),
        T(the_listener_is_found_through_its_socket),
        T(the_machine_is_read),
        T(this_process_is_seen_on_the_live_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
