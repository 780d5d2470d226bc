/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/live-reread.h"

#include "tree.h"

enum { CHANGED = 1000, BEFORE = 900, AFTER = 1100, LATER = 1200 };

static const GunicornFacts *facts_of(Tree *tree, const char *conf)
{
    const GunicornFacts *facts = NULL;
    tree_write(tree, "/etc/systemd/system/gunicorn.service",
               "[Service]\nExecStart=/usr/bin/gunicorn -c /etc/site/gunicorn.conf.py project.wsgi\n");
    tree_write(tree, "/etc/site/gunicorn.conf.py", conf);
    assert_done(tree, gunicorn_load(tree_view(tree), "gunicorn.service", &facts, &tree->err));
    return facts;
}

static Reread judge(const char *conf, RereadEvidence evidence, const char *log)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    const char *why = NULL;
    evidence.changed = CHANGED;
    if (log)
        *vec_push(tree.arena, &evidence.written) = log;
    Reread reread = reread_judge(tree.arena, facts_of(&tree, conf), &evidence, &why);
    assert_non_null(why);
    assert_int_equal(reread == REREAD_UNKNOWN, *why != '\0' && reread != REREAD_NEVER);
    return reread;
}

static const RereadEvidence with_hup = {.hup = AFTER, .oldest_worker = LATER};

static void a_hup_after_the_change_has_loaded_it(void **state)
{
    static const char conf[] = "bind = '127.0.0.1:8000'\ntimeout = 20\nchdir = '/srv'\nuser = 'django'\n"
                               "pidfile = '/run/g.pid'\nraw_env = ['A=B']\n";
    assert_int_equal(judge(conf, with_hup, NULL), REREAD_DONE);
    assert_int_equal(judge(conf, (RereadEvidence){.hup = AFTER, .oldest_worker = BEFORE}, NULL), REREAD_DONE);
}

static void a_hup_before_the_change_has_not(void **state)
{
    RereadEvidence early = {.hup = BEFORE, .oldest_worker = BEFORE};
    assert_int_equal(judge("timeout = 20\n", early, NULL), REREAD_NEVER);
    assert_int_equal(judge("timeout = 20\n", (RereadEvidence){0}, NULL), REREAD_NEVER);
}

static void workers_that_were_replaced_for_another_reason_prove_nothing(void **state)
{
    RereadEvidence recycled = {.oldest_worker = AFTER};
    assert_int_equal(judge("timeout = 20\n", recycled, NULL), REREAD_UNKNOWN);
}

static void a_reload_by_systemd_counts_where_it_replaced_all_workers(void **state)
{
    RereadEvidence reloaded = {.reloaded = AFTER, .oldest_worker = AFTER};
    assert_int_equal(judge("timeout = 20\n", reloaded, NULL), REREAD_DONE);
    reloaded.oldest_worker = BEFORE;
    assert_int_equal(judge("timeout = 20\n", reloaded, NULL), REREAD_NEVER);
}

static void what_only_a_start_takes_over_stays_open(void **state)
{
    assert_int_equal(judge("backlog = 99\n", with_hup, NULL), REREAD_UNKNOWN);
    assert_int_equal(judge("timeout = 20\nlogger_class = 'x.Y'\n", with_hup, NULL), REREAD_UNKNOWN);
    assert_int_equal(judge("loglevel = 'warning'\n", with_hup, NULL), REREAD_UNKNOWN);
    assert_int_equal(judge("loglevel = 'info'\n", with_hup, NULL), REREAD_DONE);
}

static void a_log_is_proved_by_the_file_that_the_master_has_open(void **state)
{
    static const char file[] = "errorlog = '/var/log/g/error.log'\n", journal[] = "errorlog = '-'\n";
    assert_int_equal(judge(file, with_hup, "/var/log/g/error.log"), REREAD_DONE);
    assert_int_equal(judge(file, with_hup, "/var/log/g/old.log"), REREAD_UNKNOWN);
    assert_int_equal(judge(journal, with_hup, NULL), REREAD_DONE);
    assert_int_equal(judge(journal, with_hup, "/var/log/g/error.log"), REREAD_UNKNOWN);
}

static void of_two_masters_nothing_is_said(void **state)
{
    RereadEvidence two = with_hup;
    two.two_masters = true;
    assert_int_equal(judge("timeout = 20\n", two, NULL), REREAD_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hup_after_the_change_has_loaded_it),
        cmocka_unit_test(a_hup_before_the_change_has_not),
        cmocka_unit_test(workers_that_were_replaced_for_another_reason_prove_nothing),
        cmocka_unit_test(a_reload_by_systemd_counts_where_it_replaced_all_workers),
        cmocka_unit_test(what_only_a_start_takes_over_stays_open),
        cmocka_unit_test(a_log_is_proved_by_the_file_that_the_master_has_open),
        cmocka_unit_test(of_two_masters_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
