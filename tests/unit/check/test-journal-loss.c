/* SPDX-License-Identifier: Apache-2.0 */
#include "check/journal-loss.h"

#include <unistd.h>

#include "../stack/tree.h"

static JournalRate rate_of(Tree *tree)
{
    JournalRate rate;
    journal_rate_of(tree->root, tree->arena, "a.service", &rate);
    return rate;
}

/* The size of the journal is given in these, so that no free space multiplies. */
static void the_limit_is_the_units_own_else_that_of_journald(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/journald.conf", "[Journal]\n#RateLimitBurst=7\nSystemMaxUse=1G\n");
    assert_int_equal(rate_of(&tree).burst, 10000);
    assert_int_equal(rate_of(&tree).interval, 30 * USEC_PER_SEC);
    tree_write(&tree, "/etc/systemd/journald.conf.d/x.conf",
               "[Journal]\nRateLimitIntervalSec = 2min\nRateLimitBurst=20\n");
    assert_int_equal(rate_of(&tree).burst, 20);
    assert_int_equal(rate_of(&tree).interval, 2 * USEC_PER_MIN);
    tree_link(&tree, "/run/systemd/units/log-rate-limit-burst:a.service", "50");
    assert_int_equal(rate_of(&tree).burst, 50);
    tree_link(&tree, "/run/systemd/units/log-rate-limit-interval:a.service", "5000000");
    assert_int_equal(rate_of(&tree).interval, 5 * USEC_PER_SEC);
    tree_write(&tree, "/etc/systemd/journald.conf.d/y.conf", "[Journal]\nRateLimitBurst=0\n");
    assert_int_equal(rate_of(&tree).burst, 50);
    assert_int_equal(unlink(tree_path(&tree, "/run/systemd/units/log-rate-limit-burst:a.service")), 0);
    assert_int_equal(rate_of(&tree).interval, 0);
}

static void so_many_lines_within_one_interval_reach_the_limit(void **state)
{
    const JournalRate rate = {.interval = 30, .burst = 3}, none = {0};
    const usec slow[] = {0, 20, 40, 60, 80}, burst[] = {0, 100, 110, 130, 300}, few[] = {1, 2};
    assert_false(journal_rate_is_reached(&rate, slow, 5));
    assert_true(journal_rate_is_reached(&rate, burst, 5));
    assert_false(journal_rate_is_reached(&rate, few, 2));
    assert_false(journal_rate_is_reached(&none, burst, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_the_units_own_else_that_of_journald),
        cmocka_unit_test(so_many_lines_within_one_interval_reach_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
