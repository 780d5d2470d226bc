/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped templates, rendered with the values of data/templates/values.yaml, are the files in data/templates/. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/escape.h"
#include "data/template.h"
#include "data/yaml.h"
#include <cmocka.h>

#include "golden.h"

static const Template *read_template(Arena *arena, const char *name)
{
    const char *path = arena_printf(arena, "%s/templates/%s", getenv("SALVE_SOURCE"), name);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY);
    Bytes text = BYTES("");
    Err err;
    const Template *template = NULL;
    assert_int_equal(yaml_read(arena, fd, path, &text, &err), 0);
    if (template_parse(arena, name, text, &template, &err) < 0)
        fail_msg("%s", err_text(&err));
    return template;
}

static Node *read_values(Arena *arena)
{
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    Err err;
    assert_int_equal(yaml_load(arena, TEST_DATA_DIR "/templates/values.yaml", &diags, &root, &err), 0);
    return root;
}

static void render(Arena *arena, const char *name, const Node *values, StrBuf *out)
{
    const Template *template = read_template(arena, name);
    TemplateOptions options = {.escape = escape_by_name(template_escape_name(template))};
    Err err;
    assert_non_null(options.escape);
    if (template_render(template, values, &options, out, &err) < 0)
        fail_msg("%s", err_text(&err));
}

static void every_template_renders_to_what_is_recorded(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *values = read_values(arena);
    DIR *dir = opendir(arena_printf(arena, "%s/templates", getenv("SALVE_SOURCE")));
    assert_non_null(dir);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (*entry->d_name == '.' || str_equal(entry->d_name, "meson.build"))
            continue;
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
        render(arena, entry->d_name, values, &out);
        golden_compare(arena_printf(arena, "%s/templates/%s", TEST_DATA_DIR, entry->d_name), &out);
        count++;
    }
    closedir(dir);
    assert_true(count >= 4);
}

static void a_site_without_tls_has_no_certificate_and_no_redirect(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *values = read_values(arena);
    node_set_bool(arena, values, "tls", false);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    render(arena, "nginx-site.conf", values, &out);
    assert_null(strstr(strbuf_str(&out), "ssl"));
    assert_null(strstr(strbuf_str(&out), "return 301"));
    assert_non_null(strstr(strbuf_str(&out), "    listen 80;\n    server_name example.com;\n"));
}

static void a_service_behind_a_socket_does_not_listen_itself(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *values = read_values(arena);
    node_set_bool(arena, values, "socket", true);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    render(arena, "gunicorn.service", values, &out);
    assert_null(strstr(strbuf_str(&out), "--bind"));
    assert_non_null(strstr(strbuf_str(&out), "Requires=gunicorn.socket\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_template_renders_to_what_is_recorded),
        cmocka_unit_test(a_site_without_tls_has_no_certificate_and_no_redirect),
        cmocka_unit_test(a_service_behind_a_socket_does_not_listen_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
