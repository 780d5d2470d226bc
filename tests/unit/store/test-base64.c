/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include "store/base64.h"

static void the_rfc_examples_hold_both_ways(void **state)
{
    TempTree *tree = *state;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        Bytes back;
        assert_string_equal(base64_encode(tree->arena, bytes_of(pairs[i][0])), pairs[i][1]);
        assert_true(base64_decode(tree->arena, pairs[i][1], &back));
        assert_true(bytes_equal(back, bytes_of(pairs[i][0])));
    }
}

static void other_texts_are_refused(void **state)
{
    TempTree *tree = *state;
    static const char *const wrong[] = {"Z", "Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9*"};
    Bytes back;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(base64_decode(tree->arena, wrong[i], &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_rfc_examples_hold_both_ways, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(other_texts_are_refused, tree_setup, tree_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
