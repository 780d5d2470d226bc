/* SPDX-License-Identifier: Apache-2.0 */
#include "report/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
    const char *given, *shown;
} lines[] = {
    {"DB_PASSWORD=hunter2", "DB_PASSWORD=********"},
    {"Environment=\"SECRET_KEY=abc def\" DEBUG=0", "Environment=\"SECRET_KEY=********\" DEBUG=0"},
    {"Environment='API_TOKEN=abc' LANG=C", "Environment='API_TOKEN=********' LANG=C"},
    {"password: \"a b c\"", "password: ********"},
    {"{\"token\": \"abc\", \"n\": 1}", "{\"token\": ********, \"n\": 1}"},
    {"gunicorn --password hunter2 app:wsgi", "gunicorn --password ******** app:wsgi"},
    {"gunicorn --token=abc app:wsgi", "gunicorn --token=******** app:wsgi"},
    {"    proxy_set_header Authorization \"Basic abc\";", "    proxy_set_header Authorization ********;"},
    {"    proxy_set_header X-Api-Token abc;", "    proxy_set_header X-Api-Token ********;"},
    {"Authorization: Bearer abc.def", "Authorization: ********"},
    {"postgres://app:s3cret@db/app", "postgres://app:********@db/app"},
    {"DATABASE_URL=postgres://app:s3cret@db/app", "DATABASE_URL=********"},
    {"the token expired an hour ago", "the token expired an hour ago"},
    {"server_tokens off;", "server_tokens off;"},
    {"ssl_certificate_key /etc/letsencrypt/live/x/privkey.pem;",
     "ssl_certificate_key /etc/letsencrypt/live/x/privkey.pem;"},
    {"proxy_read_timeout 65s;", "proxy_read_timeout 65s;"},
    {"http://127.0.0.1:8000/reports/", "http://127.0.0.1:8000/reports/"},
    {"p95 812ms > 500ms (24 samples)", "p95 812ms > 500ms (24 samples)"},
    {"", ""},
};

static void only_what_sounds_like_a_secret_is_masked(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_string_equal(secret_mask_text(arena, lines[i].given), lines[i].shown);
    assert_null(secret_mask_text(arena, NULL));
}

static void environment_files_show_only_what_salve_sets(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes shown = secret_mask_file(arena,
                                   BYTES("# a comment\n"
                                         "REGION=eu\n"
                                         "GUNICORN_CMD_ARGS=--timeout 60 --env DB_PASSWORD=x\n"
                                         "WEB_CONCURRENCY=4\n"
                                         "EMPTY=\n"
                                         "LONG=\"first\n"
                                         "second\"\n"
                                         "#OLD=x\n"
                                         "what systemd would drop\n"
                                         "LAST=x"),
                                   true);
    assert_string_equal(shown.data, "# a comment\n"
                                    "REGION=********\n"
                                    "GUNICORN_CMD_ARGS=--timeout 60 --env DB_PASSWORD=********\n"
                                    "WEB_CONCURRENCY=4\n"
                                    "EMPTY=********\n"
                                    "LONG=********\n"
                                    "********\n"
                                    "#OLD=********\n"
                                    "********\n"
                                    "LAST=********");
}

static void private_keys_are_masked_line_by_line(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes shown = secret_mask_file(arena,
                                   BYTES("-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----\n"
                                         "-----BEGIN CERTIFICATE-----\nabc\n"),
                                   false);
    assert_string_equal(shown.data, "-----BEGIN RSA PRIVATE KEY-----\n********\n********\n"
                                    "-----END RSA PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nabc\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_sounds_like_a_secret_is_masked),
        cmocka_unit_test(environment_files_show_only_what_salve_sets),
        cmocka_unit_test(private_keys_are_masked_line_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
