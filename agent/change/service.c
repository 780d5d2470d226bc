/* SPDX-License-Identifier: Apache-2.0 */
#include "change/service.h"

#include <string.h>

#include "stack/gunicorn.h"
#include "stack/nginx.h"

static int fail_not_found(ChangeContext *context, const char *name, Err *err)
{
    StringVec names = {0};
    Err ignored;
    if (unit_names(context->view, "service", &names, &ignored) < 0)
        names.n = 0;
    *vec_push(context->arena, &names) = NULL;
    const char *nearest = str_nearest(name, names.items);
    if (nearest)
        return err_set(err, ERR_REFUSED, "there is no unit %s (did you mean %s?)", name, nearest);
    return err_set(err, ERR_REFUSED, "there is no unit %s; systemctl list-unit-files shows those that are there", name);
}

static int check_service(const Unit *unit, Err *err)
{
    if (unit->masked)
        return err_set(err, ERR_REFUSED, "%s is masked; systemctl unmask %s if it is to run", unit->name, unit->name);
    if (unit->template_only)
        return err_set(err, ERR_REFUSED, "%s is a template; name an instance: %s@NAME.%s", unit->name, unit->prefix,
                       unit->type);
    if (!str_equal(unit->type, "service"))
        return err_set(err, ERR_REFUSED, "%s is a %s; only services can be changed and restarted", unit->name,
                       unit->type);
    if (str_equal(unit->name, NGINX_UNIT))
        return err_set(err, ERR_REFUSED,
                       "%s would have to be restarted, which drops every connection: salve reloads nginx only; change "
                       "it by hand in a quiet hour",
                       unit->name);
    return 0;
}

int service_load(ChangeContext *context, const char *name, const Unit **ret, Err *err)
{
    const Unit *unit;
    int r = str_equal(name, "auto") ? gunicorn_resolve_unit(context->view, name, &name, err) : 0;
    if (r >= 0)
        r = unit_load(context->view, name, &unit, err);
    if (r == UNIT_NOT_FOUND)
        return fail_not_found(context, unit_name_complete(context->arena, name), err);
    if (r >= 0)
        r = check_service(unit, err);
    if (r >= 0)
        *ret = unit;
    return r;
}
