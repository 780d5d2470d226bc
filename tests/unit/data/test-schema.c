/* SPDX-License-Identifier: Apache-2.0 */
#include "data/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "data/json.h"
#include <cmocka.h>

typedef struct Inner {
    Value size;
} Inner;

typedef struct Outer {
    Value timeout, mode, count, on;
    Inner *inner;
    KindedVec kinds;
} Outer;

static const char *const modes[] = {"a", "b|c", NULL};
static const Field inner_fields[] = {FIELD_SIZE(Inner, size, .help = "How much."), FIELDS_END};
static const StructType inner_type = {
    .name = "inner", .help = "The inside.", .fields = inner_fields, .size = sizeof(Inner)};

static bool kind_at(size_t index, StructType *ret)
{
    if (index == 0)
        *ret = inner_type;
    return index == 0;
}

static const Field fields[] = {
    FIELD_DURATION(Outer, timeout, .required = true, .min = "1s", .max = "5min", .allow_never = true, .help = "Wait."),
    FIELD_ENUM(Outer, mode, modes, .default_text = "a", .no_references = true, .help = "This | that."),
    FIELD_INT(Outer, count, .min = "0"),
    FIELD_BOOL(Outer, on),
    FIELD_STRUCT(Outer, inner, &inner_type),
    FIELD_KIND_LIST(Outer, kinds, kind_at, "kind", .min_items = 1),
    FIELDS_END,
};
static const StructType type = {.name = "outer", .help = "All of it.", .fields = fields, .size = sizeof(Outer)};

static void the_schema_says_what_the_table_says(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = json_to_string(arena, schema_of_struct(arena, &type, true), JSON_COMPACT);
    assert_string_equal(
        text,
        "{\"type\":\"object\",\"description\":\"All of it.\",\"properties\":{"
        "\"timeout\":{\"type\":\"string\",\"pattern\":\"^([0-9]+(ms|s|min|h)|never|\\\\{\\\\{ *[a-z][a-z0-9_]* *\\\\}\\\\})$\","
        "\"description\":\"Wait.\"},"
        "\"mode\":{\"enum\":[\"a\",\"b|c\"],\"description\":\"This | that.\",\"default\":\"a\"},"
        "\"count\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\",\"pattern\":\"^(\\\\{\\\\{ "
        "*[a-z][a-z0-9_]* *\\\\}\\\\})$\"}]},"
        "\"on\":{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"string\",\"pattern\":\"^(\\\\{\\\\{ *[a-z][a-z0-9_]* "
        "*\\\\}\\\\})$\"}]},"
        "\"inner\":{\"type\":\"object\",\"description\":\"The inside.\",\"properties\":{\"size\":{\"type\":\"string\","
        "\"pattern\":\"^([0-9]+(B|KiB|MiB|GiB)|\\\\{\\\\{ *[a-z][a-z0-9_]* *\\\\}\\\\})$\",\"description\":\"How much.\"}},"
        "\"additionalProperties\":false},"
        "\"kinds\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"inner\":{\"type\":\"object\","
        "\"description\":\"The inside.\",\"properties\":{\"size\":{\"type\":\"string\",\"pattern\":\"^([0-9]+(B|KiB|MiB|GiB)|"
        "\\\\{\\\\{ *[a-z][a-z0-9_]* *\\\\}\\\\})$\",\"description\":\"How much.\"}},\"additionalProperties\":false}},"
        "\"additionalProperties\":false,\"minProperties\":1,\"maxProperties\":1},\"minItems\":1}},"
        "\"required\":[\"timeout\"],\"additionalProperties\":false}");
}

static void the_reference_has_a_row_a_field_and_a_table_a_struct(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 16);
    reference_of_struct(&type, 4, &out);
    assert_string_equal(strbuf_str(&out), "| key | type | default | meaning |\n"
                                          "| --- | --- | --- | --- |\n"
                                          "| `timeout` | duration, 1s to 5min, or `never` | required | Wait. |\n"
                                          "| `mode` | `a`, `b\\|c` | `a` | This \\| that. |\n"
                                          "| `count` | int, at least 0 |  |  |\n"
                                          "| `on` | bool |  |  |\n"
                                          "| `inner` | map, see inner |  |  |\n"
                                          "| `kinds` | list of `kind: {...}` |  |  |\n"
                                          "\n#### inner\n\nThe inside.\n\n"
                                          "| key | type | default | meaning |\n"
                                          "| --- | --- | --- | --- |\n"
                                          "| `size` | size |  | How much. |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_says_what_the_table_says),
        cmocka_unit_test(the_reference_has_a_row_a_field_and_a_table_a_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
