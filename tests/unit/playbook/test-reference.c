/* SPDX-License-Identifier: Apache-2.0 */
/* docs/playbook-reference.md is what the tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "change/change.h"
#include "data/json.h"
#include "playbook/playbook.h"
#include <cmocka.h>

#include "golden.h"

static void the_manual_is_current(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    playbook_reference(&out);
    assert_false(out.overflowed);
    golden_compare(arena_printf(arena, "%s/docs/playbook-reference.md", getenv("SALVE_SOURCE")), &out);
}

static void the_schema_knows_every_kind(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *schema = playbook_schema(arena), *again = NULL;
    Err err;
    assert_int_equal(json_parse(arena, "schema", bytes_of(json_to_string(arena, schema, JSON_PRETTY)), &again, &err),
                     0);
    assert_true(node_equal(schema, again));
    const Node *items = node_get(node_get(node_get(schema, "properties"), "changes"), "items");
    const Node *kinds = node_get(items, "properties");
    size_t n = 0;
    for (; change_kinds[n]; n++)
        assert_non_null(node_get(kinds, change_kinds[n]->name));
    assert_int_equal(kinds->pairs.n, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_is_current),
        cmocka_unit_test(the_schema_knows_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
