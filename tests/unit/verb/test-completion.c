/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "verb/verb.h"

static const char *const shells[] = {"bash", "zsh", "fish"};

static void each_script_knows_all_verbs_and_options(void **state)
{
    for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
        CLEANUP(strbuf_free) StrBuf script = STRBUF_INIT(1 << 20);
        Err err;
        assert_int_equal(completion_script(shells[s], &script, &err), 0);
        assert_false(script.overflowed);
        for (size_t i = 0; verbs[i]; i++) {
            assert_non_null(strstr(strbuf_str(&script), verbs[i]->name));
            for (const Option *option = verbs[i]->options; option && option->name; option++)
                assert_non_null(strstr(strbuf_str(&script), option->name));
        }
        for (const Option *option = global_options; option->name; option++)
            assert_non_null(strstr(strbuf_str(&script), option->name));
    }
}

static void an_unknown_shell_is_refused(void **state)
{
    CLEANUP(strbuf_free) StrBuf script = STRBUF_INIT(1 << 20);
    Err err;
    assert_int_equal(completion_script("tcsh", &script, &err), -ERR_INVALID);
}

/* What bash offers for the last of the words of a command line. */
static void bash_offers(const char *words, const char *expected)
{
    CLEANUP(strbuf_free) StrBuf script = STRBUF_INIT(1 << 20);
    Err err;
    assert_int_equal(completion_script("bash", &script, &err), 0);
    strbuf_printf(&script,
                  "\nCOMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _salve\n"
                  "case \" ${COMPREPLY[*]} \" in *' %s '*) exit 0 ;; esac\n"
                  "echo \"offered: ${COMPREPLY[*]}\" >&2; exit 1\n",
                  words, expected);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/bash", "bash", "--norc", "-c", strbuf_str(&script), (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void bash_runs_its_script(void **state)
{
    bash_offers("salve he\"\"", ""); /* parses and runs at all */
    bash_offers("salve --js", "--json");
    bash_offers("salve --color ''", "always");
    bash_offers("salve run --ver", "--verify");
    bash_offers("salve run --verify ''", "once");
    bash_offers("salve --state /tmp rol", "rollback");
    bash_offers("salve hold --for 2h --re", "--reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_script_knows_all_verbs_and_options),
        cmocka_unit_test(an_unknown_shell_is_refused),
        cmocka_unit_test(bash_runs_its_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
