/* SPDX-License-Identifier: Apache-2.0 */
/* Properties as systemd sends them, built by hand: no bus is needed. */
#include "tree.h"

#include "host/systemd-internal.h"

static void add(Arena *arena, BusValue *dict, const char *name, BusValue value)
{
    BusValue entry = {.type = 'e', .signature = "{sv}"};
    *vec_push(arena, &entry.items) = bus_string(name);
    *vec_push(arena, &entry.items) = bus_variant(arena, value);
    *vec_push(arena, &dict->items) = entry;
}

static BusValue strings(Arena *arena, const char *a, const char *b)
{
    StringVec list = {0};
    *vec_push(arena, &list) = a;
    if (b)
        *vec_push(arena, &list) = b;
    return bus_strings(arena, &list);
}

static void what_systemd_does_not_tell_is_not_zero(void **state)
{
    TempTree *tree = *state;
    BusValue dict = bus_array("a{sv}", (BusValueVec){0});
    UnitStatus status;
    unit_status_decode(tree->arena, &dict, &status);
    assert_string_equal(status.load_state, "");
    assert_string_equal(status.invocation_id, "");
    assert_true(status.memory_current == UINT64_MAX && status.tasks_current == UINT64_MAX);
    assert_int_equal(status.drop_in_paths.n, 0);
}

static void every_kind_of_property_is_decoded(void **state)
{
    TempTree *tree = *state;
    Arena *arena = tree->arena;
    BusValue dict = bus_array("a{sv}", (BusValueVec){0});
    add(arena, &dict, "ActiveState", bus_string("active"));
    add(arena, &dict, "MainPID", bus_basic('u', 42));
    add(arena, &dict, "ExecMainStatus", bus_basic('i', (uint64_t)-1));
    add(arena, &dict, "TimeoutStopUSec", bus_basic('t', UINT64_MAX));
    add(arena, &dict, "CanReload", bus_basic('b', 1));
    add(arena, &dict, "ConsistsOf", strings(arena, "celery.service", "b.service"));
    BusValueVec bytes = {0};
    *vec_push(arena, &bytes) = bus_basic('y', 0xab);
    *vec_push(arena, &bytes) = bus_basic('y', 0x01);
    add(arena, &dict, "InvocationID", bus_array("ay", bytes));
    const BusValue error[] = {bus_string("org.x.BadUnitSetting"), bus_string("it is broken")};
    add(arena, &dict, "LoadError", bus_struct(arena, error, 2));
    const BusValue command[] = {bus_string("/bin/sh"), strings(arena, "sh", "-c"), bus_basic('b', 1)};
    BusValueVec commands = {0};
    *vec_push(arena, &commands) = bus_struct(arena, command, 3);
    add(arena, &dict, "ExecStart", bus_array("a(sasb)", commands));
    const BusValue file[] = {bus_string("/etc/env"), bus_basic('b', 1)};
    BusValueVec files = {0};
    *vec_push(arena, &files) = bus_struct(arena, file, 2);
    add(arena, &dict, "EnvironmentFiles", bus_array("a(sb)", files));
    const BusValue listen[] = {bus_string("Stream"), bus_string("/run/g.sock")};
    BusValueVec sockets = {0};
    *vec_push(arena, &sockets) = bus_struct(arena, listen, 2);
    add(arena, &dict, "Listen", bus_array("a(ss)", sockets));

    UnitStatus status;
    unit_status_decode(arena, &dict, &status);
    assert_string_equal(status.active_state, "active");
    assert_int_equal(status.main_pid, 42);
    assert_int_equal(status.exec_main_status, -1);
    assert_true(status.timeout_stop_usec == USEC_INFINITY);
    assert_true(status.can_reload);
    assert_true(strings_contain(&status.consists_of, "celery.service"));
    assert_string_equal(status.invocation_id, "ab01");
    assert_string_equal(status.load_error, "it is broken");
    assert_string_equal(status.exec_start.items[0].path, "/bin/sh");
    assert_string_equal(status.exec_start.items[0].argv.items[1], "-c");
    assert_true(status.exec_start.items[0].ignore_failure);
    assert_string_equal(status.environment_files.items[0].path, "/etc/env");
    assert_true(status.environment_files.items[0].optional);
    assert_string_equal(status.listen.items[0].address, "/run/g.sock");
}

static void transient_properties_have_systemds_signatures(void **state)
{
    TempTree *tree = *state;
    Arena *arena = tree->arena;
    const BusValue copied = bus_basic('u', 022);
    ExecCommandVec exec = {0};
    *vec_push(arena, &exec) = (ExecCommand){.path = "/bin/true"};
    const struct {
        UnitProperty property;
        const char *signature;
    } rows[] = {
        {{.name = "User", .kind = PROPERTY_STRING, .text = "x"}, "s"},
        {{.name = "PrivateTmp", .kind = PROPERTY_BOOL, .number = 1}, "b"},
        {{.name = "WatchdogUSec", .kind = PROPERTY_U64, .number = 5}, "t"},
        {{.name = "UMask", .kind = PROPERTY_U32, .number = 022}, "u"},
        {{.name = "KillSignal", .kind = PROPERTY_I32, .number = 9}, "i"},
        {{.name = "Environment", .kind = PROPERTY_STRINGS}, "as"},
        {{.name = "ExecStart", .kind = PROPERTY_EXEC, .exec = exec}, "a(sasb)"},
        {{.name = "EnvironmentFiles", .kind = PROPERTY_ENVIRONMENT_FILES}, "a(sb)"},
        {{.name = "StandardOutputFileDescriptor", .kind = PROPERTY_FD, .number = 1}, "h"},
        {{.name = "UMask", .kind = PROPERTY_COPIED, .value = &copied}, "u"},
    };
    UnitPropertyVec properties = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        *vec_push(arena, &properties) = rows[i].property;
    BusValue encoded = unit_properties_encode(arena, &properties);
    assert_string_equal(encoded.signature, "a(sv)");
    assert_int_equal(encoded.items.n, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const BusValue *pair = &encoded.items.items[i];
        assert_string_equal(pair->signature, "(sv)");
        assert_string_equal(pair->items.items[0].text, rows[i].property.name);
        assert_string_equal(pair->items.items[1].items.items[0].signature, rows[i].signature);
    }
}

static void values_read_well(void **state)
{
    TempTree *tree = *state;
    Arena *arena = tree->arena;
    const BusValue pair[] = {bus_string("/etc/env"), bus_basic('b', 0)};
    const struct {
        BusValue value;
        const char *text;
    } rows[] = {
        {bus_string("x y"), "x y"},
        {bus_basic('b', 1), "yes"},
        {bus_basic('t', UINT64_MAX), "infinity"},
        {bus_basic('t', 90000000), "90000000"},
        {bus_basic('i', (uint64_t)-5), "-5"},
        {strings(arena, "a", "b"), "a b"},
        {bus_struct(arena, pair, 2), "(/etc/env no)"},
        {bus_variant(arena, bus_basic('u', 7)), "7"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(bus_value_to_string(arena, &rows[i].value), rows[i].text);
}

static void the_sandbox_list_has_no_duplicate_and_nothing_that_runs(void **state)
{
    for (size_t i = 0; systemd_sandbox_properties[i]; i++) {
        const char *name = systemd_sandbox_properties[i];
        assert_false(str_starts(name, "Exec") && !str_equal(name, "ExecPaths"));
        if (systemd_sandbox_properties[i + 1])
            assert_true(strcmp(name, systemd_sandbox_properties[i + 1]) < 0);
    }
    assert_true(str_equal(job_result_to_string(JOB_DONE), "done"));
    for (JobResult result = JOB_DONE; result <= JOB_INTERRUPTED; result++)
        assert_non_null(job_result_to_string(result));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(what_systemd_does_not_tell_is_not_zero),
        T(every_kind_of_property_is_decoded),
        T(transient_properties_have_systemds_signatures),
        T(values_read_well),
        T(the_sandbox_list_has_no_duplicate_and_nothing_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
