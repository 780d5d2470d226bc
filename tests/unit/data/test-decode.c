/* SPDX-License-Identifier: Apache-2.0 */
#include "data/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"
#include <cmocka.h>

typedef struct Limit {
    Value max, slack;
} Limit;

typedef struct Site {
    Value host;
} Site;

typedef struct Spec {
    Value unit, timeout, mode, count;
    ValueVec paths;
    NamedVec headers;
    Limit *p95;
    VEC(Site) sites;
    NamedVec pools;
    KindedVec changes, guards;
    const char *custom;
} Spec;

static const char *const modes[] = {"fast", "slow", NULL};

static const Field limit_fields[] = {
    FIELD_DURATION(Limit, max, .required = true),
    FIELD_DURATION(Limit, slack, .default_text = "50ms"),
    FIELDS_END,
};

static void check_limit(Decoder *d, const Node *node, void *spec)
{
    Limit *limit = spec;
    if (value_compare(&limit->slack, &limit->max) > 0)
        diag_error(d->diags, node, "slack is larger than max");
}

static const StructType limit_type = {
    .name = "limit", .fields = limit_fields, .size = sizeof(Limit), .check = check_limit};
static const Field site_fields[] = {FIELD_HOST(Site, host, .required = true), FIELDS_END};
static const StructType site_type = {.name = "site", .fields = site_fields, .size = sizeof(Site)};
static const Field none[] = {FIELDS_END};

static bool kind_at(size_t index, StructType *ret)
{
    static const StructType rows[] = {{.name = "restart", .fields = site_fields, .size = sizeof(Site)},
                                      {.name = "nothing", .fields = none, .size = 1}};
    if (index < ARRAY_LEN(rows))
        *ret = rows[index];
    return index < ARRAY_LEN(rows);
}

static void decode_custom(Decoder *d, const Field *field, const Node *node, void *member)
{
    if (node->kind != NODE_SCALAR)
        diag_error(d->diags, node, "%s: not my kind", field->name);
    *(const char **)member = node->text;
}

static const Field fields[] = {
    FIELD_UNIT(Spec, unit, .required = true, .allow_auto = true),
    FIELD_DURATION(Spec, timeout, .min = "1s", .default_text = "30s"),
    FIELD_ENUM(Spec, mode, modes),
    FIELD_INT(Spec, count, .max = "9"),
    FIELD_LIST(Spec, paths, VALUE_PATH, .min_items = 1),
    FIELD_MAP(Spec, headers, VALUE_TEXT),
    FIELD_STRUCT(Spec, p95, &limit_type),
    FIELD_STRUCT_LIST(Spec, sites, &site_type),
    FIELD_STRUCT_MAP(Spec, pools, &site_type),
    FIELD_KIND_LIST(Spec, changes, kind_at, "change"),
    FIELD_KIND_MAP(Spec, guards, kind_at, "guard"),
    FIELD_CUSTOM(Spec, custom, decode_custom),
    FIELDS_END,
};
static const StructType type = {.name = "spec", .fields = fields, .size = sizeof(Spec)};

static bool decode(Arena *arena, const char *text, Spec *ret, Diagnostics *diags)
{
    Node *root = NULL;
    assert_int_equal(yaml_parse(arena, "x", bytes_of(text), diags, &root), 0);
    Decoder decoder = {.arena = arena, .diags = diags};
    return decode_struct(&decoder, &type, root, ret);
}

static Spec good(Arena *arena, const char *text)
{
    Spec spec;
    Diagnostics diags = diagnostics_new(arena);
    if (!decode(arena, text, &spec, &diags))
        fail_msg("%s", diags.items.items[0].message);
    return spec;
}

/* Every line of `expected` is an error "line:column message (hint)", in this order. */
static void assert_errors(const char *text, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Spec spec;
    Diagnostics diags = diagnostics_new(arena);
    assert_false(decode(arena, text, &spec, &diags));
    diagnostics_sort(&diags);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 16);
    VEC_EACH (item, &diags.items)
        strbuf_printf(&out, "%u:%u %s%s%s%s\n", item->pos.line, item->pos.column, item->message, item->hint ? " (" : "",
                      item->hint ? item->hint : "", item->hint ? ")" : "");
    assert_string_equal(strbuf_str(&out), expected);
}

static void presence_defaults_and_positions_are_visible(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Spec spec = good(arena, "unit: auto\n");
    assert_true(spec.unit.is_auto);
    assert_int_equal(spec.unit.node->pos.column, 7);
    assert_int_equal(spec.timeout.duration, 30 * USEC_PER_SEC);
    assert_null(spec.timeout.node);
    assert_false(value_is_set(&spec.mode));
    assert_null(spec.p95);
    assert_int_equal(spec.paths.n + spec.sites.n + spec.changes.n, 0);
}

static void every_shape_arrives_in_its_member(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Spec spec = good(arena, "unit: web\nmode: slow\ncount: 3\npaths: [/a, /b]\nheaders: {X-A: one, X-B: two}\n"
                            "p95: {max: 500ms}\nsites: [{host: h1}, {host: h2}]\npools: {main: {host: h3}}\n"
                            "changes:\n  - restart: {host: h4}\n  - nothing:\nguards: {nothing: {}}\ncustom: mine\n");
    assert_string_equal(spec.unit.text, "web.service");
    assert_int_equal(spec.mode.choice, 1);
    assert_string_equal(spec.paths.items[1].text, "/b");
    assert_string_equal(spec.headers.items[1].name, "X-B");
    assert_string_equal(spec.headers.items[1].value.text, "two");
    assert_int_equal(spec.p95->max.duration, 500 * USEC_PER_MSEC);
    assert_int_equal(spec.p95->slack.duration, 50 * USEC_PER_MSEC);
    assert_string_equal(spec.sites.items[1].host.text, "h2");
    assert_string_equal(((Site *)spec.pools.items[0].spec)->host.text, "h3");
    assert_string_equal(spec.changes.items[0].kind, "restart");
    assert_string_equal(((Site *)spec.changes.items[0].spec)->host.text, "h4");
    assert_int_equal(spec.changes.items[1].index, 1);
    assert_int_equal(spec.guards.n, 1);
    assert_string_equal(spec.custom, "mine");
}

static void one_scalar_is_a_list_of_one(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Spec spec = good(arena, "unit: a\npaths: /a\n");
    assert_int_equal(spec.paths.n, 1);
}

static void all_mistakes_are_reported_at_once_with_the_nearest_name(void **state)
{
    assert_errors("unit: web\ntimeuot: 5s\ntimeout: 5\nmode: fsat\ncount: 12\nchanges:\n  - restrat: {}\n",
                  "2:1 unknown key \"timeuot\" in spec\n"
                  "3:10 timeout: \"5\" has no unit: write 5s or 5ms\n"
                  "4:7 mode: \"fsat\" is not one of fast, slow (did you mean \"fast\"?)\n"
                  "5:8 count: 12 is too large: at most 9\n"
                  "7:5 unknown change \"restrat\" (did you mean \"restart\"?)\n");
    assert_errors("unti: web\n", "1:1 unknown key \"unti\" in spec (did you mean \"unit\"?)\n"
                                 "1:1 spec needs the key \"unit\"\n");
}

static void the_wrong_kind_of_node_is_named(void **state)
{
    assert_errors(
        "unit: [a]\npaths: {a: b}\nheaders: x\np95: 5\nsites: {}\npools: []\nchanges: {}\nguards: []\ncustom: []\n",
        "1:7 unit must be a systemd unit name, not a list\n"
        "2:8 paths must be a list, not a map\n"
        "3:10 headers must be a map, not a value\n"
        "4:6 \"p95\" must be a map, not a value\n"
        "5:8 sites must be a list, not a map\n"
        "6:8 pools must be a map, not a list\n"
        "7:10 changes must be a list, not a map\n"
        "8:9 guards must be a map, not a list\n"
        "9:9 custom: not my kind\n");
    assert_errors("unit:\n", "1:6 unit must be a systemd unit name, not nothing\n");
    assert_errors("[]\n", "1:1 spec must be a map, not a list\n");
}

static void errors_name_the_kind_the_entry_and_the_struct(void **state)
{
    assert_errors("unit: a\nchanges:\n  - restart: {hots: x}\n  - restart\n  - restart: {host: a}\n    host: b\n"
                  "pools: {main: {}}\npaths: []\n",
                  "3:14 change \"restart\" needs the key \"host\"\n"
                  "3:15 unknown key \"hots\" in change \"restart\" (did you mean \"host\"?)\n"
                  "4:5 each item of changes is a map with one key, the kind of change (write restart: {...})\n"
                  "5:5 each item of changes is a map with one key, the kind of change (are the keys after \"restart\" "
                  "indented too little?)\n"
                  "7:15 site \"main\" needs the key \"host\"\n"
                  "8:8 paths must have at least 1 entry\n");
}

static void rules_over_several_fields_see_only_sound_structs(void **state)
{
    assert_errors("unit: a\np95: {max: 10ms}\n", "2:6 slack is larger than max\n");
    assert_errors("unit: a\np95: {max: 10}\n", "2:12 max: \"10\" has no unit: write 10s or 10ms\n");
}

static void without_a_scope_references_are_refused(void **state)
{
    assert_errors("unit: \"{{ unit }}\"\n", "1:7 unit: variables cannot be used here\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presence_defaults_and_positions_are_visible),
        cmocka_unit_test(every_shape_arrives_in_its_member),
        cmocka_unit_test(one_scalar_is_a_list_of_one),
        cmocka_unit_test(all_mistakes_are_reported_at_once_with_the_nearest_name),
        cmocka_unit_test(the_wrong_kind_of_node_is_named),
        cmocka_unit_test(errors_name_the_kind_the_entry_and_the_struct),
        cmocka_unit_test(rules_over_several_fields_see_only_sound_structs),
        cmocka_unit_test(without_a_scope_references_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
