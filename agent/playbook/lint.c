/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook/lint.h"

#include <string.h>

#include "base/cleanup.h"

static Node place_of(const Playbook *playbook, Pos pos)
{
    return (Node){.kind = NODE_SCALAR, .text = "", .source = playbook->source, .pos = pos};
}

static bool has_template(const Playbook *playbook)
{
    VEC_EACH (change, &playbook->changes) {
        if (str_equal(change->kind->name, "template"))
            return true;
    }
    return false;
}

/* Templates see all variables, and guards look at the unit. */
static bool used_elsewhere(const Playbook *playbook, const Variable *variable)
{
    return has_template(playbook) || (playbook->guards.n > 0 && str_equal(variable->name, "unit"));
}

/* In templates these names are facts (change/template.c). */
static void lint_names_of_facts(const Playbook *playbook, Diagnostics *diags)
{
    static const char *const facts[] = {"host", "gunicorn", "nginx", "alert"};
    for (size_t i = 0; has_template(playbook) && i < ARRAY_LEN(facts); i++) {
        const Variable *variable = scope_find(&playbook->scope, facts[i]);
        if (variable)
            diag_error(diags, variable->declared, "a template would see the facts \"%s\", not this variable", facts[i]);
    }
}

static void lint_variables(const Playbook *playbook, Diagnostics *diags)
{
    VEC_EACH (variable, &playbook->scope.variables) {
        if (variable->used == 0 && !used_elsewhere(playbook, variable))
            diag_warning(diags, variable->declared, "variable \"%s\" is not used", variable->name);
    }
}

static void lint_changes(const Playbook *playbook, Diagnostics *diags)
{
    VEC_EACH (change, &playbook->changes) {
        Node place = place_of(playbook, change->pos);
        Err err;
        if (change->kind->lint && change->kind->lint(change->spec, &err) < 0)
            diag_error(diags, &place, "change \"%s\": %s", change->kind->name, err.message);
    }
}

static void lint_checks(const Playbook *playbook, Diagnostics *diags)
{
    VEC_EACH (check, &playbook->checks) {
        Node place = place_of(playbook, check->pos);
        Err err;
        if (check->kind->lint &&
            check->kind->lint(check->spec, playbook->window_usec, playbook->interval_usec, &err) < 0)
            diag_error(diags, &place, "check \"%s\": %s", check->kind->name, err.message);
        for (const PlaybookCheck *other = playbook->checks.items; other < check; other++) {
            if (strcmp(other->name, check->name) != 0)
                continue;
            diag_error(diags, &place, "two checks are called \"%s\"", check->name);
            diag_hint(diags, "the other is on line %u; give one of them a name", other->pos.line);
        }
    }
}

/* `salve run NAME` finds NAME.yaml. */
static void lint_name(const Playbook *playbook, Diagnostics *diags)
{
    const char *path = playbook->source->name, *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    size_t len = strlen(playbook->name);
    if (str_ends(file, ".yaml") && (strncmp(file, playbook->name, len) != 0 || strcmp(file + len, ".yaml") != 0)) {
        Node place = place_of(playbook, (Pos){0});
        diag_warning(diags, &place, "the playbook is called \"%s\", its file is not", playbook->name);
        diag_hint(diags, "call the file %s.yaml", playbook->name);
    }
}

void playbook_lint(const Playbook *playbook, Diagnostics *diags)
{
    lint_name(playbook, diags);
    lint_variables(playbook, diags);
    lint_names_of_facts(playbook, diags);
    lint_changes(playbook, diags);
    lint_checks(playbook, diags);
}
