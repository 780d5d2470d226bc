/* SPDX-License-Identifier: Apache-2.0 */
/* What the field tables say, in two other forms: JSON Schema (draft 2020-12) for editors, Markdown for people. */
#pragma once

#include "data/decode.h"

/* The schema of a struct: type object, properties, required, additionalProperties false. Scalars accept `{{ name }}`
 * where `references`. */
Node *schema_of_struct(Arena *arena, const StructType *type, bool references);

/* A table of the fields (key, type, default, meaning), and the tables of nested structs after it. Kinds are not
 * followed. `level` is that of the headings which nested structs get. */
void reference_of_struct(const StructType *type, unsigned level, StrBuf *out);
/* "duration, 1s to 300s", "one of rollback, keep", ... */
char *field_type_text(Arena *arena, const Field *field);
