/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/verb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"

static void every_verb_is_complete(void **state)
{
    for (size_t i = 0; verbs[i]; i++) {
        const Verb *verb = verbs[i];
        assert_non_null(verb->name);
        assert_true(verb->run && verb->summary && verb->arguments);
        assert_true(str_ends(verb->summary, "."));
        assert_true(verb->min_arguments <= verb->max_arguments);
        assert_true((verb->max_arguments > 0) == (verb->arguments[0] != 0));
        assert_true((verb->options != NULL) == (verb->options_size > 0));
        assert_ptr_equal(verb_find(verb->name), verb);
        for (size_t k = i + 1; verbs[k]; k++)
            assert_string_not_equal(verb->name, verbs[k]->name);
    }
    assert_null(verb_find("rnu"));
}

static void check_option(const Option *option, size_t struct_size)
{
    assert_true(option->help && str_ends(option->help, "."));
    assert_true(option->offset < struct_size);
    assert_true((option->kind == OPTION_KIND_FLAG) == (option->argument == NULL));
    assert_true((option->kind == OPTION_KIND_CHOICE) == (option->choices != NULL));
}

/* No two options that may stand on one command line share a name or a letter. */
static void check_distinct(const Option *option, const Option *others)
{
    for (; others && others->name; others++) {
        if (others == option)
            continue;
        assert_string_not_equal(option->name, others->name);
        assert_false(option->letter && option->letter == others->letter);
    }
}

static void every_option_is_complete_and_distinct(void **state)
{
    for (const Option *option = global_options; option->name; option++) {
        check_option(option, sizeof(Globals));
        check_distinct(option, global_options);
    }
    for (size_t i = 0; verbs[i]; i++) {
        for (const Option *option = verbs[i]->options; option && option->name; option++) {
            check_option(option, verbs[i]->options_size);
            check_distinct(option, verbs[i]->options);
            check_distinct(option, global_options);
        }
    }
}

static void help_names_every_verb_and_option(void **state)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(1 << 20);
    help_of_program(false, &text);
    for (size_t i = 0; verbs[i]; i++)
        assert_true(verbs[i]->hidden || strstr(strbuf_str(&text), verbs[i]->summary) ||
                    strstr(strbuf_str(&text), verbs[i]->name));
    for (size_t i = 0; verbs[i]; i++) {
        strbuf_clear(&text);
        help_of_verb(verbs[i], false, &text);
        for (const Option *option = verbs[i]->options; option && option->name; option++)
            assert_non_null(strstr(strbuf_str(&text), option->name));
        assert_null(strchr(strbuf_str(&text), '\033'));
        assert_non_null(strstr(strbuf_str(&text), "--json"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_is_complete),
        cmocka_unit_test(every_option_is_complete_and_distinct),
        cmocka_unit_test(help_names_every_verb_and_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
