/* SPDX-License-Identifier: Apache-2.0 */
#include "config/gunicorn-conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
    const char *text;
    const char *after;   /* with timeout set to 90; NULL: refused or not there */
    const char *refusal; /* "line: reason", "" for not there */
} cases[] = {
    {"timeout = 60\n", "timeout = 90\n", NULL},
    {"# c\nworkers=3\ntimeout  =  0x3c  # why\nbind = 'x'", "# c\nworkers=3\ntimeout  =  90  # why\nbind = 'x'", NULL},
    {"timeout = '60'\r\nx = 1\r\n", "timeout = 90\r\nx = 1\r\n", NULL},
    {"timeout = 30\ntimeout = 60\n", "timeout = 30\ntimeout = 90\n", NULL},
    {"workers = 1; timeout = 60; x = 2\n", "workers = 1; timeout = 90; x = 2\n", NULL},
    {"x = '''\ntimeout = 30\n'''\ntimeout = 60\n", "x = '''\ntimeout = 30\n'''\ntimeout = 90\n", NULL},
    {"import os\nfrom base import *\ntimeout = 60\n", "import os\nfrom base import *\ntimeout = 90\n", NULL},
    {"if x:\n    timeout = 30\ntimeout = 60\n", "if x:\n    timeout = 30\ntimeout = 90\n", NULL},
    {"timeout = 60\ndef post_fork(server, worker):\n    timeout = 5\n",
     "timeout = 90\ndef post_fork(server, worker):\n    timeout = 5\n", NULL},
    {"timeout = 60\nx = dict(timeout=5)\nprint(timeout)\nx.timeout = 5\n",
     "timeout = 90\nx = dict(timeout=5)\nprint(timeout)\nx.timeout = 5\n", NULL},
    {"timeout = None\n", "timeout = 90\n", NULL},
    {"timeot = 60\nTIMEOUT = 60\n# timeout = 60\n", NULL, ""},
    {"timeout = 30 * 2\n", NULL, "1: the value is an expression"},
    {"timeout = -1\n", NULL, "1: the value is an expression"},
    {"timeout = '6' '0'\n", NULL, "1: the value is an expression"},
    {"timeout = int(os.environ.get('T', 30))\n", NULL, "1: the value is an expression"},
    {"timeout = f'60'\n", NULL, "1: the value is an expression"},
    {"timeout = workers = 60\n", NULL, "1: assigned together with other names"},
    {"timeout, workers = 60, 3\n", NULL, "1: assigned together with other names"},
    {"timeout: int = 60\n", NULL, "1: assigned together with other names"},
    {"timeout = 60\ntimeout += 30\n", NULL, "2: changed by an augmented assignment"},
    {"timeout = 60\nif x:\n    timeout = 30\n", NULL, "3: assigned inside an indented block"},
    {"timeout = 60\nif x: timeout = 30\n", NULL, "2: assigned inside an indented block"},
    {"timeout = 60\nif x: pass; timeout = 30\n", NULL, "2: assigned inside an indented block"},
    {"timeout = 60\nfor timeout in x:\n  pass\n", NULL, "2: bound by a statement that is no assignment"},
    {"timeout = 60\nif x: del timeout\n", NULL, "2: bound by a statement that is no assignment"},
    {"timeout = 60\nif (timeout := 5): pass\n", NULL, "2: assigned inside an expression"},
    {"timeout = 60\nimport x as timeout\n", NULL, "2: imported from another module"},
    {"timeout = 60\nfrom x import (a,\n  timeout)\n", NULL, "3: imported from another module"},
    {"timeout = 60\nfrom x import *\n", NULL, "2: everything is imported from another module"},
    {"timeout = 60\ntry: from x import *\nexcept E: pass\n", NULL, "2: everything is imported from another module"},
    {"timeout = 60\nglobals()['timeout'] = 5\n", NULL, "2: names may be set by a call"},
    {"timeout = 60\nfor k, v in e: exec(k)\n", NULL, "2: names may be set by a call"},
    {"def f():\n    globals().update(x)\nf()\ntimeout = 60\n", NULL, "2: names may be set by a call"},
    {"def f():\n    global timeout\n    timeout = 5\nf()\ntimeout = 60\n", NULL, "2: a function may set it"},
    {"def f(): global timeout; timeout = 5\ntimeout = 60\n", NULL, "1: a function may set it"},
    {"def timeout(): pass\n", NULL, "1: a function"},
    {"timeout = 60\nsetattr(sys.modules[__name__], 'timeout', 5)\n", NULL, "2: names may be set by a call"},
    {"", NULL, ""},
};

static void only_a_plain_literal_that_counts_is_edited(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        GunicornConf conf;
        Bytes text = BYTES("");
        Err err;
        if (gunicorn_conf_parse(arena, "gunicorn.conf.py", bytes_of(cases[i].text), &conf, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err_text(&err));
        int r = gunicorn_conf_set(arena, &conf, "timeout", "90", &text, &err);
        const char *got = r == 0                ? text.data
                          : r == -ERR_NOT_FOUND ? ""
                          : r == -ERR_REFUSED   ? arena_printf(arena, "%u: %s", err.line, strchr(err.message, ':') + 2)
                                                : err_text(&err);
        const char *expected = cases[i].after ? cases[i].after : cases[i].refusal;
        if ((r == 0) != (cases[i].after != NULL) || strcmp(got, expected) != 0)
            fail_msg("%s\n gives %s\n not   %s", cases[i].text, got, expected);
    }
}

static void values_have_their_kind_text_and_place(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    GunicornConf conf;
    Err err;
    const char *text = "bind = \"unix:/run/g.sock\"\npreload_app = True\nuser = None\n workers = 3\nbind.append('x')\n";
    assert_int_equal(gunicorn_conf_parse(arena, "f", bytes_of(text), &conf, &err), 0);
    assert_int_equal(conf.values.n, 5);
    assert_string_equal(conf.values.items[0].text, "unix:/run/g.sock");
    assert_int_equal(conf.values.items[0].kind, GUNICORN_CONF_STRING);
    assert_int_equal(gunicorn_conf_get(&conf, "preload_app")->kind, GUNICORN_CONF_BOOL);
    assert_int_equal(gunicorn_conf_get(&conf, "user")->kind, GUNICORN_CONF_NONE);
    assert_int_equal(gunicorn_conf_get(&conf, "workers")->kind, GUNICORN_CONF_DYNAMIC);
    const GunicornConfValue *bind = gunicorn_conf_get(&conf, "bind");
    assert_string_equal(bind->reason, "changed in place");
    assert_int_equal(bind->line, 5);
    assert_null(gunicorn_conf_wild(&conf, NULL));
}

static void an_appended_line_is_the_last_assignment(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", "timeout = 90\n"},
        {"x = 1", "x = 1\ntimeout = 90\n"},
        {"if x:\r\n  timeout = 5\r\n", "if x:\r\n  timeout = 5\r\ntimeout = 90\r\n"},
        {"# c", "# c\ntimeout = 90\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        GunicornConf conf;
        Bytes text;
        Err err;
        assert_int_equal(gunicorn_conf_parse(arena, "f", bytes_of(texts[i][0]), &conf, &err), 0);
        assert_int_equal(gunicorn_conf_append(arena, &conf, "timeout", "90", &text, &err), 0);
        assert_string_equal(text.data, texts[i][1]);
        assert_int_equal(gunicorn_conf_parse(arena, "f", text, &conf, &err), 0);
        assert_string_equal(gunicorn_conf_get(&conf, "timeout")->text, "90");
    }
}

static void what_python_would_not_read_is_an_error(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    GunicornConf conf;
    Err err;
    assert_int_equal(gunicorn_conf_parse(arena, "f", BYTES("x = (1\n"), &conf, &err), -ERR_INVALID);
    assert_int_equal(gunicorn_conf_parse(arena, "f", BYTES("# c\rtimeout = 5\n"), &conf, &err), -ERR_INVALID);
    assert_string_equal(err_text(&err), "f:1:4: a carriage return without a line feed is in it");
    assert_int_equal(gunicorn_conf_parse(arena, "f", BYTES("#\0\n"), &conf, &err), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_plain_literal_that_counts_is_edited),
        cmocka_unit_test(values_have_their_kind_text_and_place),
        cmocka_unit_test(an_appended_line_is_the_last_assignment),
        cmocka_unit_test(what_python_would_not_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
