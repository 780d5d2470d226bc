/* SPDX-License-Identifier: Apache-2.0 */
/* The language as JSON Schema and as a manual. Nothing here describes a key: tables do. */
#include "change/change.h"
#include "check/check.h"
#include "data/schema.h"
#include "diagnose/finding.h"
#include "playbook/language.h"
#include "playbook/playbook.h"

Node *playbook_schema(Arena *arena)
{
    Node *schema = node_map(arena);
    node_set_text(arena, schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    node_set_text(arena, schema, "title", "salve playbook");
    Node *body = schema_of_struct(arena, &playbook_type, true);
    VEC_EACH (pair, &body->pairs)
        node_set(arena, schema, pair->key->text, pair->value);
    return schema;
}

static const char introduction[] =
    "# Playbook reference\n\n"
    "<!-- Generated from the tables of the agent; SALVE_WRITE=1 meson test playbook/reference writes it anew. -->\n\n"
    "A playbook is one YAML file: variables, guards, changes, checks. `salve lint` checks one, `salve schema` prints the\n"
    "JSON Schema for editors. YAML anchors, tags, duplicate keys and second documents are refused.\n\n";

static const char values[] =
    "## Values\n\n"
    "| type | written | meaning |\n| --- | --- | --- |\n"
    "| int | `60`, `-5` | an integer |\n"
    "| duration | `850ms`, `60s`, `5min`, `2h` | an integer with its unit; no bare numbers; `never` where it is accepted |\n"
    "| size | `10B`, `512KiB`, `2MiB`, `1GiB` | bytes, in powers of 1024 |\n"
    "| percent | `20%` | 0 to 10000 |\n"
    "| bool | `true`, `false` | |\n"
    "| unit | `gunicorn`, `web@1.service` | a systemd unit; `.service` where no suffix is given; `auto` where it is accepted |\n"
    "| path | `/srv/site` | absolute, without `..`, `.` or `//` |\n"
    "| url | `http://127.0.0.1:8000/health/` | http or https, without user name |\n"
    "| host | `web1.example.com`, `10.0.0.1`, `::1` | a host name or an address |\n"
    "| word | `gthread`, `app.wsgi:application` | letters, digits and `. _ : @ % + / = -`, at most 256 |\n"
    "| text | `any words` | one line of at most 1000 bytes |\n"
    "| enum | | one of the choices |\n"
    "| scalar | | what it may be is said at the key |\n\n"
    "A value that is exactly `\"{{ name }}\"` stands for the variable; its type must fit. Inside longer text variables may\n"
    "stand only where a url, a path or a word is expected: `\"http://{{ host }}/health/\"`.\n\n";

static void add_struct(const StructType *type, const char *title, unsigned level, StrBuf *out)
{
    strbuf_printf(out, "%.*s %s\n\n%s\n\n", (int)level, "######", title, type->help ? type->help : "");
    reference_of_struct(type, level + 1, out);
    strbuf_add_char(out, '\n');
}

static void add_kinds(const char *noun, KindAt kind_at, StrBuf *out)
{
    StructType type;
    for (size_t i = 0; kind_at(i, &type); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        add_struct(&type, arena_printf(arena, "%s `%s`", noun, type.name), 3, out);
    }
}

static void add_findings(StrBuf *out)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    strbuf_add_str(out, "| finding | looks back | meaning |\n| --- | --- | --- |\n");
    for (const FindingKind *const *kind = finding_kinds; *kind; kind++) {
        const char *since =
            (*kind)->default_since_usec
                ? arena_printf(arena, "`since`, %s", duration_to_text(arena, (*kind)->default_since_usec))
                : "";
        strbuf_printf(out, "| `%s` | %s | %s |\n", (*kind)->name, since, (*kind)->help);
    }
    strbuf_add_char(out, '\n');
}

void playbook_reference(StrBuf *out)
{
    strbuf_add_str(out, introduction);
    strbuf_add_str(out, "## Keys\n\n");
    CLEANUP(strbuf_free) StrBuf keys = STRBUF_INIT(1 << 20);
    reference_of_struct(&playbook_type, 3, &keys);
    strbuf_add_str(out, strbuf_str(&keys));
    strbuf_add_char(out, '\n');
    strbuf_add_str(out, values);
    strbuf_add_str(out, "## Findings\n\nWhat `guards` can name.\n\n");
    add_findings(out);
    strbuf_add_str(out, "## Changes\n\nEach item of `changes` is one of these.\n\n");
    add_kinds("Change", language_change_at, out);
    strbuf_add_str(out, "## Checks\n\nEach item of `verify.checks` is one of these.\n\n");
    add_kinds("Check", language_check_at, out);
}
