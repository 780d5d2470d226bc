/* SPDX-License-Identifier: Apache-2.0 */
/* The change `unit`: settings of a service, in salve's own drop-in. Only what the table of change/unit-key.h allows.
 * Each is read back as a property after the daemon-reload: what systemd ignored is not kept. */
#include "change/dropin.h"
#include "change/kinds.h"
#include "change/service.h"
#include "change/unit-key.h"

typedef struct UnitSpec {
    Value unit;
    UnitKeys *set;
    ValueVec also_affects;
} UnitSpec;

static const StructType set_type = {
    .name = "set", .help = "Settings to set to exactly this.", .fields = unit_key_fields, .size = sizeof(UnitKeys)};

static const Field unit_fields[] = {
    FIELD_UNIT(UnitSpec, unit, .required = true, .allow_auto = true,
               .help = "The service; auto is the Gunicorn service where the host has just one."),
    FIELD_STRUCT(UnitSpec, set, &set_type, .required = true, .help = "Settings, named as systemd names them."),
    FIELD_ALSO_AFFECTS(UnitSpec),
    FIELDS_END,
};

/* The assignment that counts: the last one of the setting, or of the other one that sets the same. */
static const UnitSetting *in_effect(const Unit *unit, const UnitKey *key)
{
    const UnitSetting *last = NULL;
    VEC_EACH (file, &unit->files) {
        VEC_EACH (setting, &(*file)->settings) {
            bool named = str_equal(setting->key, key->name) || (key->rival && str_equal(setting->key, key->rival));
            if (named && str_equal(setting->section, key->section))
                last = setting;
        }
    }
    return last;
}

static const char *describe(Arena *arena, const UnitSetting *setting)
{
    if (!setting || !setting->value[0])
        return "not set";
    return arena_printf(arena, "%s=%s (%s:%u)", setting->key, setting->value, setting->file, setting->line);
}

static int check_rival(const Unit *unit, const UnitKey *key, Err *err)
{
    const UnitSetting *rival = key->rival ? unit_dropin_beaten_by(unit, key->section, key->rival) : NULL;
    if (!rival)
        return 0;
    return err_at(
        err, ERR_REFUSED, rival->file, rival->line, 1,
        "this drop-in applies after salve's %s and sets %s= again with %s=, so a change would have no effect; "
        "change it there, or rename it to sort before",
        UNIT_DROPIN_NAME, key->name, key->rival);
}

/* The unit is loaded again for each setting, because the one before edited the drop-in. */
static int set_key(ChangeContext *context, const char *name, const UnitKey *key, const Value *value, Err *err)
{
    Arena *arena = context->arena;
    const Unit *unit;
    int r = service_load(context, name, &unit, err);
    if (r < 0)
        return r;
    const UnitSetting *now = in_effect(unit, key);
    change_concerns(context, unit->name);
    change_wish(context, WISH_PROPERTY, unit->name, key->property, unit_key_property(arena, value));
    if (now && unit_key_means(arena, key, now->value, value)) {
        change_note(context, NOTE_INFO, unit->name, "%s stays: %s", key->name, describe(arena, now));
        return 0;
    }
    const char *text = unit_key_format(arena, value);
    change_note(context, NOTE_INFO, unit->name, "%s becomes %s; it is %s", key->name, text, describe(arena, now));
    r = check_rival(unit, key, err);
    return r < 0 ? r : dropin_set(context->view, unit, key->section, key->name, text, err);
}

static int apply_unit(ChangeContext *context, const void *data, Err *err)
{
    const UnitSpec *spec = data;
    int r = 0;
    change_wish_also(context, &spec->also_affects);
    for (const UnitKey *key = unit_keys; r >= 0 && key->name; key++) {
        const Value *value = unit_key_value(spec->set, key);
        if (value_is_set(value))
            r = set_key(context, spec->unit.text, key, value, err);
    }
    return r;
}

static int lint_unit(const void *data, Err *err)
{
    const UnitSpec *spec = data;
    for (const UnitKey *key = unit_keys; key->name; key++) {
        if (value_is_set(unit_key_value(spec->set, key)))
            return 0;
    }
    return err_set(err, ERR_INVALID, "nothing to do: give at least one setting in `set`");
}

const ChangeKind change_unit = {
    .name = "unit",
    .help = "Settings of a service: limits, timeouts, restarts; in a drop-in of salve's own.",
    .fields = unit_fields,
    .spec_size = sizeof(UnitSpec),
    .lint = lint_unit,
    .apply = apply_unit,
};
