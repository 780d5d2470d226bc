/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook/language.h"

#include "change/change.h"
#include "check/check.h"
#include "diagnose/finding.h"

static const char *const open_choices[] = {[OPEN_ROLLBACK] = "rollback", [OPEN_KEEP] = "keep", NULL};

static const Field guard_fields[] = {
    FIELD_DURATION(GuardSpec, since, .min = "1s", .max = "168h", .help = "How far back to look."),
    FIELDS_END,
};
static const Field no_fields[] = {FIELDS_END};

bool language_change_at(size_t index, StructType *ret)
{
    const ChangeKind *kind = change_kinds[index];
    if (kind)
        *ret = (StructType){.name = kind->name, .help = kind->help, .fields = kind->fields, .size = kind->spec_size};
    return kind;
}

bool language_check_at(size_t index, StructType *ret)
{
    const CheckKind *kind = check_kinds[index];
    if (kind)
        *ret = (StructType){.name = kind->name, .help = kind->help, .fields = kind->fields, .size = kind->spec_size};
    return kind;
}

bool language_finding_at(size_t index, StructType *ret)
{
    const FindingKind *kind = finding_kinds[index];
    if (kind)
        *ret = (StructType){.name = kind->name,
                            .help = kind->help,
                            .fields = kind->default_since_usec ? guard_fields : no_fields,
                            .size = sizeof(GuardSpec)};
    return kind;
}

static const Field variable_fields[] = {
    FIELD_ENUM(VariableSpec, type, value_kind_names, .required = true, .no_references = true,
               .help = "What its values are; see Values."),
    {.name = "default",
     .shape = SHAPE_VALUE,
     .offset = offsetof(VariableSpec, initial),
     .kind = VALUE_SCALAR,
     .no_references = true,
     .help = "Its value where none is given; without a default it must be given."},
    FIELD_SCALAR(VariableSpec, min, .no_references = true, .help = "Least value (int, duration, size, percent)."),
    FIELD_SCALAR(VariableSpec, max, .no_references = true, .help = "Greatest value (int, duration, size, percent)."),
    FIELD_LIST(VariableSpec, choices, VALUE_WORD, .no_references = true, .min_items = 1,
               .help = "The values of an enum."),
    FIELD_TEXT(VariableSpec, help, .no_references = true, .help = "Shown by salve list."),
    FIELDS_END,
};

ValueType variable_value_type(Arena *arena, const VariableSpec *spec)
{
    ValueType type = {.kind = VALUE_ABSENT, .min = spec->min.text, .max = spec->max.text};
    if (!value_is_set(&spec->type))
        return type;
    type.kind = value_kind_from_name(spec->type.text);
    /* `auto` is for whoever refers to it to accept or not; a unit may always be left to salve. */
    type.allow_auto = type.kind == VALUE_UNIT || str_equal(spec->initial.text, "auto");
    type.allow_never = type.kind == VALUE_DURATION && !type.max;
    const char **choices = arena_array(arena, const char *, spec->choices.n + 1);
    for (size_t i = 0; i < spec->choices.n; i++)
        choices[i] = spec->choices.items[i].text;
    type.choices = choices;
    return type;
}

static void check_text(Decoder *d, const ValueType *type, const char *what, const Value *value)
{
    Value ignored;
    Err err;
    if (value_is_set(value) && value_parse(d->arena, type, value->text, &ignored, &err) < 0)
        diag_error(d->diags, value->node, "%s: %s", what, err.message);
}

static void check_variable(Decoder *d, const Node *node, void *spec_)
{
    const VariableSpec *spec = spec_;
    ValueType type = variable_value_type(d->arena, spec), unbounded = {.kind = type.kind};
    bool ordered =
        type.kind == VALUE_INT || type.kind == VALUE_DURATION || type.kind == VALUE_SIZE || type.kind == VALUE_PERCENT;
    const Value *bounds[] = {&spec->min, &spec->max};
    size_t before = d->diags->errors;
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        if (value_is_set(bounds[i]) && !ordered)
            diag_error(d->diags, bounds[i]->node, "values of type %s have no bounds", spec->type.text);
        else
            check_text(d, &unbounded, i == 0 ? "min" : "max", bounds[i]);
    }
    if (type.kind == VALUE_ENUM && spec->choices.n == 0)
        diag_error(d->diags, node, "an enum needs choices");
    if (type.kind != VALUE_ENUM && spec->choices.n > 0)
        diag_error(d->diags, spec->choices.items[0].node, "choices are for type enum");
    if (d->diags->errors == before)
        check_text(d, &type, "default", &spec->initial);
}

const StructType variable_type = {
    .name = "variable",
    .help = "What a run can be told with -e NAME=VALUE. Referred to as \"{{ name }}\".",
    .fields = variable_fields,
    .size = sizeof(VariableSpec),
    .check = check_variable,
};

#define VARS_FIELD(T) FIELD_STRUCT_MAP(T, vars, &variable_type, .help = "The variables, by name.")

static const Field vars_fields[] = {VARS_FIELD(VarsSpec), FIELDS_END};
const StructType vars_type = {.name = "vars", .fields = vars_fields, .size = sizeof(VarsSpec)};

static const Field guards_fields[] = {
    FIELD_KIND_MAP(GuardsSpec, require, language_finding_at, "finding",
                   .help = "Findings that must be there, else the run is refused."),
    FIELD_KIND_MAP(GuardsSpec, refuse, language_finding_at, "finding",
                   .help = "Findings that must not be there, else the run is refused."),
    FIELDS_END,
};

static void check_guards(Decoder *d, const Node *node, void *spec)
{
    GuardsSpec *guards = spec;
    VEC_EACH (required, &guards->require) {
        VEC_EACH (refused, &guards->refuse) {
            if (required->index == refused->index)
                diag_error(d->diags, refused->key, "finding \"%s\" cannot be both required and refused", refused->kind);
        }
    }
}

const StructType guards_type = {
    .name = "guards",
    .help = "What diagnosis must say before a run may touch anything. A finding that cannot be told satisfies neither.",
    .fields = guards_fields,
    .size = sizeof(GuardsSpec),
    .check = check_guards,
};

static const Field verify_fields[] = {
    FIELD_DURATION(VerifySpec, warmup, .default_text = "3s", .max = "10min",
                   .help = "From the last restart to the first sample that counts."),
    FIELD_DURATION(VerifySpec, window, .default_text = "auto", .allow_auto = true, .min = "1s", .max = "2h",
                   .help = "How long the checks watch; auto outlasts the longest request that the changes allow, and "
                           "gathers the samples that the checks need; it goes on while over_baseline is undecided, for "
                           "at most 120 samples."),
    FIELD_DURATION(VerifySpec, interval, .default_text = "2s", .min = "100ms", .max = "5min",
                   .help = "From one sample to the next, where a check does not say otherwise."),
    FIELD_DURATION(VerifySpec, settle, .default_text = "5s", .max = "5min",
                   .help = "How long restarted services must stay up before probing begins."),
    FIELD_ENUM(VerifySpec, on_undecided, open_choices, .default_text = "keep",
               .help = "What to do where all hard limits hold and the durations do not decide whether it got slower."),
    FIELD_ENUM(VerifySpec, on_blind, open_choices, .default_text = "rollback",
               .help = "What to do where a check could not observe, or observed less than it demands."),
    FIELD_ENUM(VerifySpec, on_inconclusive, open_choices,
               .help = "The old word for both: the same as on_undecided and on_blind with that value."),
    FIELD_KIND_LIST(VerifySpec, checks, language_check_at, "check", .required = true, .min_items = 1,
                    .help = "All must pass."),
    FIELDS_END,
};

/* Playbooks that were written for the one old word mean what they meant. */
static void check_verify(Decoder *d, const Node *node, void *spec)
{
    VerifySpec *verify = spec;
    const Value *old = &verify->on_inconclusive;
    if (!value_is_set(old))
        return;
    const Value *both[] = {&verify->on_undecided, &verify->on_blind};
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (both[i]->node)
            diag_error(d->diags, both[i]->node, "on_inconclusive on line %u says this as well: remove on_inconclusive",
                       old->node->pos.line);
    }
    diag_warning(d->diags, old->node,
                 "on_inconclusive is two things now: on_undecided (durations that do not decide) "
                 "and on_blind (nothing was observed)");
    diag_hint(d->diags, "write on_blind: %s; leave out on_undecided, whose default is keep", old->text);
    verify->on_undecided = verify->on_blind = *old;
}

const StructType verify_type = {
    .name = "verify",
    .help = "How the result is judged: first before anything is touched (the baseline), then after the change.",
    .fields = verify_fields,
    .size = sizeof(VerifySpec),
    .check = check_verify,
};

static const Field playbook_fields[] = {
    FIELD_INT(PlaybookSpec, salve, .required = true, .no_references = true, .min = "1", .max = "1",
              .help = "The version of the language: 1."),
    FIELD_WORD(PlaybookSpec, name, .required = true, .no_references = true,
               .help = "Small letters, digits and dashes; the file is called NAME.yaml."),
    FIELD_TEXT(PlaybookSpec, summary, .required = true, .no_references = true, .help = "One line for salve list."),
    VARS_FIELD(PlaybookSpec),
    FIELD_STRUCT(PlaybookSpec, guards, &guards_type, .help = "Findings that allow or forbid the run."),
    FIELD_KIND_LIST(PlaybookSpec, changes, language_change_at, "change", .required = true, .min_items = 1,
                    .help = "What to change, in this order."),
    FIELD_STRUCT(PlaybookSpec, verify, &verify_type, .required = true, .help = "How the result is judged."),
    FIELDS_END,
};

static void check_playbook(Decoder *d, const Node *node, void *spec)
{
    const PlaybookSpec *playbook = spec;
    if (!is_name(playbook->name.text, false))
        diag_error(d->diags, playbook->name.node, "\"%.64s\" is not a name: small letters, digits and dashes",
                   playbook->name.text);
}

const StructType playbook_type = {
    .name = "playbook",
    .help = "A playbook of salve: one YAML file.",
    .fields = playbook_fields,
    .size = sizeof(PlaybookSpec),
    .check = check_playbook,
};
