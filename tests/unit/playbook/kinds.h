/* SPDX-License-Identifier: Apache-2.0 */
/* Small kinds in place of the real ones, so that these tests are about the language. The definitions here win over the
 * library's, because the linker needs nothing else from there. */
#pragma once

#include "change/change.h"
#include "check/check.h"
#include "diagnose/finding.h"

typedef struct SetSpec {
    Value timeout;
} SetSpec;

typedef struct GunicornSpec {
    Value unit;
    SetSpec *at_least, *exactly;
} GunicornSpec;

typedef struct UnitSpec {
    Value unit, path, restart;
} UnitSpec;

typedef struct TemplateSpec {
    Value name;
} TemplateSpec;

typedef struct LimitSpec {
    Value max, over_baseline;
} LimitSpec;

typedef struct HttpSpec {
    Value name, url, status;
    LimitSpec *p95;
} HttpSpec;

static const Field set_fields[] = {FIELD_DURATION(SetSpec, timeout, .min = "1s", .max = "10min"), FIELDS_END};
static const StructType set_type = {.name = "settings", .fields = set_fields, .size = sizeof(SetSpec)};
static const Field gunicorn_fields[] = {
    FIELD_UNIT(GunicornSpec, unit, .default_text = "auto", .allow_auto = true, .help = "The service."),
    FIELD_STRUCT(GunicornSpec, at_least, &set_type),
    FIELD_STRUCT(GunicornSpec, exactly, &set_type),
    FIELDS_END,
};
static const Field unit_fields[] = {
    FIELD_UNIT(UnitSpec, unit, .required = true),
    FIELD_PATH(UnitSpec, path),
    FIELD_BOOL(UnitSpec, restart),
    FIELDS_END,
};
static const Field template_fields[] = {FIELD_WORD(TemplateSpec, name, .required = true), FIELDS_END};
static const Field limit_fields[] = {
    FIELD_DURATION(LimitSpec, max),
    FIELD_PERCENT(LimitSpec, over_baseline),
    FIELDS_END,
};
static const StructType limit_type = {.name = "limit", .fields = limit_fields, .size = sizeof(LimitSpec)};
static const Field http_fields[] = {
    FIELD_WORD(HttpSpec, name, .required = true, .no_references = true),
    FIELD_URL(HttpSpec, url, .required = true),
    FIELD_INT(HttpSpec, status, .min = "100", .max = "599", .default_text = "200"),
    FIELD_STRUCT(HttpSpec, p95, &limit_type),
    FIELDS_END,
};

static const char *http_name(Arena *arena, const void *spec)
{
    return ((const HttpSpec *)spec)->name.text;
}

static int http_lint(const void *spec_, usec window_usec, usec interval_usec, Err *err)
{
    const HttpSpec *spec = spec_;
    if (spec->p95 && value_is_set(&spec->p95->over_baseline) && !value_is_set(&spec->p95->max))
        return err_set(err, ERR_INVALID, "over_baseline needs a max beside it");
    return 0;
}

static int unit_lint(const void *spec_, Err *err)
{
    const UnitSpec *spec = spec_;
    if (!value_is_set(&spec->path) && !value_is_set(&spec->restart))
        return err_set(err, ERR_INVALID, "nothing to do");
    return 0;
}

static const ChangeKind change_gunicorn = {
    .name = "gunicorn", .help = "Sets Gunicorn.", .fields = gunicorn_fields, .spec_size = sizeof(GunicornSpec)};
static const ChangeKind change_unit = {
    .name = "unit", .help = "Sets a unit.", .fields = unit_fields, .spec_size = sizeof(UnitSpec), .lint = unit_lint};
static const ChangeKind change_template = {
    .name = "template", .help = "A file.", .fields = template_fields, .spec_size = sizeof(TemplateSpec)};
static const CheckKind check_http = {.name = "http",
                                     .help = "Asks for a page.",
                                     .fields = http_fields,
                                     .spec_size = sizeof(HttpSpec),
                                     .name_of = http_name,
                                     .lint = http_lint};
static const FindingKind worker_timeout = {"worker-timeout", "Timeouts.", USEC_PER_HOUR, NULL};
static const FindingKind boot_failure = {"boot-failure", "Cannot start.", 0, NULL};

const ChangeKind *const change_kinds[] = {&change_gunicorn, &change_unit, &change_template, NULL};
const CheckKind *const check_kinds[] = {&check_http, NULL};
const FindingKind *const finding_kinds[] = {&worker_timeout, &boot_failure, NULL};
