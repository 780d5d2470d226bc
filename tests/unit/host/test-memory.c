/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "host/memory.h"

static Err err;

static void the_hosts_memory_is_in_bytes(void **state)
{
    TempTree *tree = *state;
    MemoryInfo info;
    const char *text = "MemTotal:       1000 kB\nMemFree:         200 kB\nMemAvailable:    500 kB\n"
                       "SwapTotal:        10 kB\nSwapFree:          4 kB\n";
    tree_write(tree, "proc/meminfo", text);
    assert_int_equal(memory_info(tree->root, &info, &err), 0);
    assert_int_equal(info.total, 1000 * 1024);
    assert_int_equal(info.available, 500 * 1024);
    assert_int_equal(info.swap_free, 4 * 1024);
    tree_write(tree, "proc/meminfo", "MemTotal: 1 kB\n");
    assert_int_equal(memory_info(tree->root, &info, &err), -ERR_FAILED);
}

static void pressure_is_read_of_host_and_group(void **state)
{
    TempTree *tree = *state;
    Pressure pressure;
    assert_int_equal(pressure_read(tree->root, NULL, PRESSURE_MEMORY, &pressure, &err), MEMORY_NOT_AVAILABLE);
    tree_write(tree, "proc/pressure/memory",
               "some avg10=1.50 avg60=0.70 avg300=0.10 total=12345\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=99\n");
    assert_int_equal(pressure_read(tree->root, NULL, PRESSURE_MEMORY, &pressure, &err), 0);
    assert_true(pressure.some_avg10 > 1.49 && pressure.some_avg10 < 1.51);
    assert_true(pressure.full_avg10 > 0.24 && pressure.full_avg10 < 0.26);
    assert_int_equal(pressure.some_total, 12345);
    assert_int_equal(pressure_read(tree->root, "/a.slice", PRESSURE_CPU, &pressure, &err), MEMORY_NOT_AVAILABLE);
    tree_write(tree, "sys/fs/cgroup/unified/a.slice/cpu.pressure", "some avg10=3.00 avg60=0 avg300=0 total=7\n");
    assert_int_equal(pressure_read(tree->root, "/a.slice", PRESSURE_CPU, &pressure, &err), 0);
    assert_int_equal(pressure.some_total, 7);
    assert_int_equal(pressure.full_total, 0);
    tree_write(tree, "proc/pressure/io", "nonsense\n");
    assert_int_equal(pressure_read(tree->root, NULL, PRESSURE_IO, &pressure, &err), -ERR_FAILED);
}

static void a_unified_group_tells_limits_and_kills(void **state)
{
    TempTree *tree = *state;
    CgroupMemory memory;
    tree_write(tree, "sys/fs/cgroup/s/a.service/memory.events",
               "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n");
    tree_write(tree, "sys/fs/cgroup/s/a.service/memory.current", "4096\n");
    tree_write(tree, "sys/fs/cgroup/s/a.service/memory.max", "8192\n");
    tree_write(tree, "sys/fs/cgroup/s/a.service/memory.high", "max\n");
    assert_int_equal(cgroup_memory(tree->root, "/s/a.service", &memory, &err), 0);
    assert_int_equal(memory.oom, 3);
    assert_int_equal(memory.oom_kill, 2);
    assert_int_equal(memory.current, 4096);
    assert_int_equal(memory.max, 8192);
    assert_true(memory.high == UINT64_MAX);
}

static void a_group_of_version_1_is_read_likewise(void **state)
{
    TempTree *tree = *state;
    CgroupMemory memory;
    tree_write(tree, "sys/fs/cgroup/memory/s/a.service/memory.oom_control",
               "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
    tree_write(tree, "sys/fs/cgroup/memory/s/a.service/memory.usage_in_bytes", "4096\n");
    tree_write(tree, "sys/fs/cgroup/memory/s/a.service/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(cgroup_memory(tree->root, "/s/a.service", &memory, &err), 0);
    assert_int_equal(memory.oom_kill, 5);
    assert_true(memory.oom == UINT64_MAX);
    assert_int_equal(memory.current, 4096);
    assert_true(memory.max == UINT64_MAX);
}

static void no_controller_is_not_zero_kills(void **state)
{
    TempTree *tree = *state;
    CgroupMemory memory;
    tree_write(tree, "sys/fs/cgroup/s/a.service/cgroup.procs", "1\n");
    assert_int_equal(cgroup_memory(tree->root, "/s/a.service", &memory, &err), MEMORY_NOT_AVAILABLE);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(the_hosts_memory_is_in_bytes),           T(pressure_is_read_of_host_and_group),
        T(a_unified_group_tells_limits_and_kills), T(a_group_of_version_1_is_read_likewise),
        T(no_controller_is_not_zero_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
