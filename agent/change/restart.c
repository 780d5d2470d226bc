/* SPDX-License-Identifier: Apache-2.0 */
/* The change `restart`: a service is restarted though no file changed. There is no edit, so nothing to put back. */
#include "change/kinds.h"
#include "change/service.h"

typedef struct RestartSpec {
    Value unit;
    ValueVec also_affects;
} RestartSpec;

static const Field restart_fields[] = {
    FIELD_UNIT(RestartSpec, unit, .required = true, .allow_auto = true,
               .help = "The service; auto is the Gunicorn service where the host has just one."),
    FIELD_ALSO_AFFECTS(RestartSpec),
    FIELDS_END,
};

static int apply_restart(ChangeContext *context, const void *data, Err *err)
{
    const RestartSpec *spec = data;
    const Unit *unit;
    int r = service_load(context, spec->unit.text, &unit, err);
    if (r < 0)
        return r;
    change_wish_also(context, &spec->also_affects);
    change_wish(context, WISH_RESTART, unit->name, NULL, NULL);
    return 0;
}

const ChangeKind change_restart = {
    .name = "restart",
    .help = "Restart a service, without editing anything.",
    .fields = restart_fields,
    .spec_size = sizeof(RestartSpec),
    .apply = apply_restart,
};
