/* SPDX-License-Identifier: Apache-2.0 */
/* Version 1 of the playbook language as tables and the structs that they fill; the playbook layer's own. */
#pragma once

#include "data/decode.h"

enum { LANGUAGE_VERSION = 1 };

typedef struct VariableSpec {
    Value type, initial, min, max, help;
    ValueVec choices;
} VariableSpec;

/* `vars` is decoded by itself and first: everything else refers to it. */
typedef struct VarsSpec {
    NamedVec vars; /* of VariableSpec */
} VarsSpec;

typedef struct GuardSpec {
    Value since;
} GuardSpec;

typedef struct GuardsSpec {
    KindedVec require, refuse; /* of GuardSpec */
} GuardsSpec;

typedef struct VerifySpec {
    Value warmup, window, interval, settle, on_undecided, on_blind, on_inconclusive;
    KindedVec checks;
} VerifySpec;

typedef struct PlaybookSpec {
    Value salve, name, summary;
    NamedVec vars; /* for the schema; empty after decoding */
    GuardsSpec *guards;
    KindedVec changes;
    VerifySpec *verify;
} PlaybookSpec;

extern const StructType variable_type, vars_type, guards_type, verify_type, playbook_type;

/* The rows of the kinds' tables as the decoder wants them. */
bool language_change_at(size_t index, StructType *ret);
bool language_check_at(size_t index, StructType *ret);
bool language_finding_at(size_t index, StructType *ret);

/* What becomes of a change that the checks could not tell good from bad. */
enum { OPEN_ROLLBACK, OPEN_KEEP };

/* The type that a declaration describes; kind VALUE_ABSENT where it does not. */
ValueType variable_value_type(Arena *arena, const VariableSpec *spec);
