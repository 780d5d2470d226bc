/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the facts of a service, and which services there are. */
#include <string.h>

#include "stack/gunicorn.h"

const char *gunicorn_origin_to_string(GunicornOrigin origin)
{
    static const char *const names[] = {
        [GUNICORN_FROM_DEFAULT] = "Gunicorn's default",  [GUNICORN_FROM_WEB_CONCURRENCY] = "WEB_CONCURRENCY",
        [GUNICORN_FROM_FILE] = "the configuration file", [GUNICORN_FROM_CMD_ARGS] = "GUNICORN_CMD_ARGS",
        [GUNICORN_FROM_COMMAND] = "the command line",
    };
    return names[origin];
}

const GunicornValue *gunicorn_value(const GunicornFacts *facts, const char *name)
{
    VEC_EACH (value, &facts->values)
        if (str_equal(value->setting->name, name))
            return value;
    return NULL;
}

/* collect_values pushes the definitions of one setting one behind the other. */
void gunicorn_definitions(const GunicornFacts *facts, const char *name, GunicornValueVec *ret)
{
    GunicornValueVec found = {0};
    VEC_EACH (value, &facts->values)
        if (str_equal(value->setting->name, name)) {
            found.items = found.items ? found.items : value;
            found.n++;
        }
    *ret = found;
}

int gunicorn_int(const GunicornFacts *facts, const char *name, uint64_t *ret, Err *err)
{
    const GunicornValue *value = gunicorn_value(facts, name);
    const char *path = value->path ? value->path : "";
    if (value->dynamic)
        return err_at(err, ERR_REFUSED, path, value->line, value->column, "%s is not a plain number: %s", name,
                      value->reason);
    Err bad;
    if (!value->value || gunicorn_parse_int(value->value, ret, &bad) < 0)
        return err_at(err, ERR_REFUSED, path, value->line, value->column, "%s of %s is no number that Gunicorn takes",
                      name, gunicorn_origin_to_string(value->origin));
    return 0;
}

char *gunicorn_describe(Arena *arena, const GunicornValue *value)
{
    const char *name = value->setting->name, *text = value->value ? value->value : "None";
    const char *place = value->path ? arena_printf(arena, " (%s:%u)", value->path, value->line) : "";
    if (value->path && value->line == 0)
        place = arena_printf(arena, " (%s)", value->path);
    const char *from = gunicorn_origin_to_string(value->origin);
    if (value->dynamic)
        return arena_printf(arena, "%s computed by %s%s: %s", name, from, place, value->reason);
    if (value->origin == GUNICORN_FROM_COMMAND || value->origin == GUNICORN_FROM_CMD_ARGS) {
        const char *flag = value->setting->flags ? value->setting->flags[0] : name;
        const char *argument = value->setting->type == GUNICORN_BOOL ? "" : arena_printf(arena, " %s", text);
        return arena_printf(arena, "%s%s %s %s%s", flag, argument, value->origin == GUNICORN_FROM_COMMAND ? "on" : "in",
                            from, place);
    }
    if (value->origin == GUNICORN_FROM_FILE)
        return arena_printf(arena, "%s = %s in %s%s", name, text, from, place);
    return arena_printf(arena, "%s %s by %s%s", name, text, from, place);
}

/* The Gunicorn services of a view, and why the first that was passed over could not be read: systemd would not load it
 * either, or its configuration may not be read by this user. */
typedef struct Scan {
    StringVec found;
    bool failed;
    Err failure;
} Scan;

static int scan_units(View *view, const Scan **ret, Err *err)
{
    static const char key[] = "gunicorn services";
    const Scan *known = view_recall(view, key);
    Scan *scan = known ? NULL : arena_new_of(view_arena(view), Scan);
    StringVec names = {0};
    int r = known ? 0 : unit_mentioning(view, "gunicorn", &names, err);
    if (r < 0)
        return r;
    VEC_EACH (name, &names) {
        const GunicornFacts *facts;
        Err failure;
        if (!str_ends(*name, ".service"))
            continue;
        r = gunicorn_load(view, *name, &facts, &failure);
        if (r == 0)
            *vec_push(view_arena(view), &scan->found) = *name;
        if (r < 0 && !scan->failed) {
            scan->failure = failure;
            scan->failed = true;
        }
    }
    if (!known)
        view_remember(view, key, scan);
    *ret = known ? known : scan;
    return 0;
}

int gunicorn_units(View *view, StringVec *ret, Err *err)
{
    const Scan *scan;
    int r = scan_units(view, &scan, err);
    if (r < 0)
        return r;
    *ret = scan->found;
    ret->capacity = ret->n; /* whoever adds to it gets memory of his own */
    return 0;
}

static int resolve_auto(View *view, const char **ret, Err *err)
{
    const Scan *scan;
    int r = scan_units(view, &scan, err);
    if (r < 0)
        return r;
    const StringVec *names = &scan->found;
    if (names->n == 1) {
        *ret = names->items[0];
        return 0;
    }
    if (names->n == 0 && scan->failed) {
        *err = scan->failure;
        return err_prefix(err, "cannot tell which service runs Gunicorn");
    }
    if (names->n == 0)
        return err_set(err, ERR_REFUSED, "no service here runs Gunicorn: if one does, name it (unit=NAME.service)");
    const char *list = "";
    VEC_EACH (name, names)
        list = arena_printf(view_arena(view), "%s%s%s", list, list[0] ? ", " : "", *name);
    return err_set(err, ERR_REFUSED, "%zu services run Gunicorn: %s; name one (unit=NAME.service)", names->n, list);
}

int gunicorn_resolve_unit(View *view, const char *name, const char **ret, Err *err)
{
    const GunicornFacts *facts;
    if (str_equal(name, "auto"))
        return resolve_auto(view, ret, err);
    int r = gunicorn_load(view, name, &facts, err);
    if (r > 0)
        return err_set(err, ERR_REFUSED, "%s does not run Gunicorn", unit_name_complete(view_arena(view), name));
    if (r < 0)
        return r;
    *ret = facts->unit->name;
    return 0;
}
