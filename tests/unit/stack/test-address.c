/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/address.h"

#include "tree.h"

static void notations_of_binds_are_read(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Address address = address_of_bind(arena, "127.0.0.1:8001");
    assert_int_equal(address.kind, ADDRESS_TCP);
    assert_string_equal(address.host, "127.0.0.1");
    assert_int_equal(address.port, 8001);
    assert_int_equal(address_of_bind(arena, "[::1]:9000").port, 9000);
    assert_string_equal(address_of_bind(arena, "[::1]:9000").host, "::1");
    assert_int_equal(address_of_bind(arena, "localhost").port, 8000);
    assert_string_equal(address_of_bind(arena, "unix:/var/run/app.sock").path, "/run/app.sock");
    assert_string_equal(address_of_bind(arena, "unix:///run/app.sock").path, "/run/app.sock");
    assert_int_equal(address_of_bind(arena, "fd://3").kind, ADDRESS_UNKNOWN);
    assert_int_equal(address_of_bind(arena, "127.0.0.1:99999").kind, ADDRESS_UNKNOWN);
    assert_int_equal(address_of_listen_stream(arena, "8000").port, 8000);
    assert_string_equal(address_of_listen_stream(arena, "/run/gunicorn.sock").path, "/run/gunicorn.sock");
    assert_string_equal(address_of_nginx_peer(arena, "unix:/run/a.sock:/uri", 80).path, "/run/a.sock");
    assert_int_equal(address_of_nginx_peer(arena, "backend", 443).port, 443);
    assert_int_equal(address_of_nginx_peer(arena, "$backend", 80).kind, ADDRESS_UNKNOWN);
}

static void a_client_reaches_what_listens_there(void **state)
{
    static const struct {
        const char *target, *bind;
        bool reaches;
    } rows[] = {
        {"127.0.0.1:8000", "127.0.0.1:8000", true},
        {"localhost:8000", "127.0.0.1:8000", true},
        {"localhost:8000", "[::1]:8000", true},
        {"127.0.0.1:8000", "localhost:8000", true},
        {"127.0.0.1:8000", "[::1]:8000", false},
        {"127.0.0.1:8000", "0.0.0.0:8000", true},
        {"192.0.2.7:8000", "0.0.0.0:8000", true},
        {"127.0.0.1:8000", "[::]:8000", true},
        {"127.0.0.1:8000", ":8000", true},
        {"192.0.2.7:8000", "127.0.0.1:8000", false},
        {"127.0.0.1:8000", "127.0.0.1:8001", false},
        {"unix:/var/run/a.sock", "unix:/run/a.sock", true},
        {"unix:/run/a.sock", "unix:/run/b.sock", false},
        {"unix:/run/a.sock", "127.0.0.1:8000", false},
        {"$backend", "127.0.0.1:8000", false},
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Address target = address_of_nginx_peer(arena, rows[i].target, 80), bind = address_of_bind(arena, rows[i].bind);
        if (address_reaches(&target, &bind) != rows[i].reaches)
            fail_msg("%s to %s", rows[i].target, rows[i].bind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notations_of_binds_are_read),
        cmocka_unit_test(a_client_reaches_what_listens_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
