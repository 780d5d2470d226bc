/* SPDX-License-Identifier: Apache-2.0 */
#include "run/originals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void originals_are_looked_for_where_the_run_has_put_them(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char *const paths[] = {"/srv/site/gunicorn.conf.py", "/etc/systemd/system/a.service.d",
                                        "/etc/systemd/system/a.service.d/90-salve.conf", "/srv/site/env",
                                        "/opt/our site/x"};
    StringVec edited = {0};
    assert_string_equal(originals_command(arena, &edited), "find / -not -path '/proc/*' -name '.*.salve-*'");
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        *vec_push(arena, &edited) = paths[i];
    assert_string_equal(originals_command(arena, &edited),
                        "find /srv/site /etc/systemd/system '/opt/our site' -maxdepth 1 -name '.*.salve-*'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(originals_are_looked_for_where_the_run_has_put_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
