/* SPDX-License-Identifier: Apache-2.0 */
/* From a tree to a C struct, by a table of fields. The table is the only description of a format: it decodes, it is the
 * JSON Schema (data/schema.h), and it is the reference manual.
 *
 *     typedef struct PressureSpec {
 *         Value unit;                // every scalar is a Value
 *         ValueVec paths;            // a list of scalars
 *         Criterion *p95;            // a nested struct: NULL where not given
 *         VEC(ServerSpec) servers;   // a list of structs
 *     } PressureSpec;
 *
 *     static const Field pressure_fields[] = {
 *         FIELD_UNIT(PressureSpec, unit, .required = true, .allow_auto = true, .help = "Whose pressure."),
 *         FIELD_DURATION(PressureSpec, since, .default_text = "10min", .min = "1s", .help = "How far back."),
 *         FIELD_STRUCT(PressureSpec, p95, &criterion_type, .help = "..."),
 *         FIELDS_END,
 *     };
 *
 * Presence: a scalar that was not given and has no default is a Value of kind VALUE_ABSENT (value_is_set is false); a
 * struct is NULL; a list or map has n == 0. A given scalar has value.node, a default has none.
 *
 * References: in a playbook a scalar that is exactly `{{ name }}` stands for the variable, whose type must fit the
 * field's; inside longer text variables may stand only in url, path and word fields, and the result is checked as a
 * whole. While a playbook is only checked (Scope.lint) variables without value stand for a placeholder that their
 * field accepts, so that a table's `check` sees valid specs.
 *
 * Errors go to the Decoder's Diagnostics, all of them, with "did you mean" for keys, kinds, choices and variables. */
#pragma once

#include <stddef.h>

#include "data/diagnostic.h"
#include "data/value.h"

typedef struct Decoder Decoder;
typedef struct Field Field;

/* A struct and its fields. `fields` ends with FIELDS_END. */
typedef struct StructType {
    const char *name; /* what it is called in errors: "playbook", "variable"; in a table of kinds: the kind's name */
    const char *help;
    const Field *fields;
    size_t size;
    /* Rules over several fields, called only where all fields are sound. May be NULL. Adds errors to d->diags. */
    void (*check)(Decoder *d, const Node *node, void *spec);
} StructType;

/* A table of kinds that other layers own: fills *ret_type for row `index`, false behind the last row. */
typedef bool (*KindAt)(size_t index, StructType *ret_type);

/* One decoded `kind: {...}`. */
typedef struct Kinded {
    const char *kind; /* the row's name */
    size_t index;     /* of the row */
    void *spec;       /* the row's struct */
    const Node *node; /* the spec's node, for later errors */
    const Node *key;  /* the kind's name in the file */
} Kinded;

typedef VEC(Kinded) KindedVec;

/* One entry of a map from free names: to a struct (spec) or to a scalar (value). */
typedef struct Named {
    const char *name;
    const Node *key;
    void *spec;
    Value value;
} Named;

typedef VEC(Named) NamedVec;

typedef enum FieldShape {
    SHAPE_VALUE,       /* Value */
    SHAPE_VALUE_LIST,  /* ValueVec */
    SHAPE_VALUE_MAP,   /* NamedVec: free name -> scalar */
    SHAPE_STRUCT,      /* T* */
    SHAPE_STRUCT_LIST, /* VEC(T) */
    SHAPE_STRUCT_MAP,  /* NamedVec: free name -> T */
    SHAPE_KIND_LIST,   /* KindedVec: a list of maps with exactly one key, which names the kind */
    SHAPE_KIND_MAP,    /* KindedVec: a map from kind to its options */
    SHAPE_CUSTOM,      /* whatever `hook` makes of it */
} FieldShape;

struct Field {
    const char *name; /* the key in the file */
    FieldShape shape;
    size_t offset;
    bool required;
    const char *help;
    const char *default_text; /* SHAPE_VALUE: parsed when the key is absent */

    /* Scalars; as in ValueType. */
    ValueKind kind;
    const char *min, *max;
    const char *const *choices;
    bool allow_auto, allow_never;
    bool no_references; /* variables cannot stand here (names, version, types) */

    const StructType *type; /* structs */
    KindAt kind_at;         /* kinds */
    const char *noun;       /* kinds: what one is called in errors, "change" */
    size_t min_items;       /* lists and maps */
    void (*hook)(Decoder *d, const Field *field, const Node *node, void *member);
};

#define FIELDS_END                                                                                                     \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }

/* The offset of T.member, checked to be of type M. */
#define FIELD_OFFSET(T, member, M)                                                                                     \
    (offsetof(T, member) + 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((T *)0)->member), M) ? 1 : -1]))

#define FIELD_VALUE_(T, member, value_kind, ...)                                                                       \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_VALUE, .offset = FIELD_OFFSET(T, member, Value), .kind = value_kind,           \
        __VA_ARGS__                                                                                                    \
    }
#define FIELD_INT(T, member, ...)      FIELD_VALUE_(T, member, VALUE_INT, __VA_ARGS__)
#define FIELD_DURATION(T, member, ...) FIELD_VALUE_(T, member, VALUE_DURATION, __VA_ARGS__)
#define FIELD_SIZE(T, member, ...)     FIELD_VALUE_(T, member, VALUE_SIZE, __VA_ARGS__)
#define FIELD_PERCENT(T, member, ...)  FIELD_VALUE_(T, member, VALUE_PERCENT, __VA_ARGS__)
#define FIELD_BOOL(T, member, ...)     FIELD_VALUE_(T, member, VALUE_BOOL, __VA_ARGS__)
#define FIELD_UNIT(T, member, ...)     FIELD_VALUE_(T, member, VALUE_UNIT, __VA_ARGS__)
#define FIELD_PATH(T, member, ...)     FIELD_VALUE_(T, member, VALUE_PATH, __VA_ARGS__)
#define FIELD_URL(T, member, ...)      FIELD_VALUE_(T, member, VALUE_URL, __VA_ARGS__)
#define FIELD_HOST(T, member, ...)     FIELD_VALUE_(T, member, VALUE_HOST, __VA_ARGS__)
#define FIELD_WORD(T, member, ...)     FIELD_VALUE_(T, member, VALUE_WORD, __VA_ARGS__)
#define FIELD_TEXT(T, member, ...)     FIELD_VALUE_(T, member, VALUE_TEXT, __VA_ARGS__)
#define FIELD_SCALAR(T, member, ...)   FIELD_VALUE_(T, member, VALUE_SCALAR, __VA_ARGS__)
/* choice_list: a static `const char *const x[] = {"rollback", "keep", NULL}`; value.choice is the index. */
#define FIELD_ENUM(T, member, choice_list, ...)                                                                        \
    FIELD_VALUE_(T, member, VALUE_ENUM, .choices = (choice_list), __VA_ARGS__)
/* A list of scalars: FIELD_LIST(T, paths, VALUE_PATH, .min_items = 1, ...). One scalar is accepted as a list of one. */
#define FIELD_LIST(T, member, value_kind, ...)                                                                         \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_VALUE_LIST, .offset = FIELD_OFFSET(T, member, ValueVec), .kind = value_kind,   \
        __VA_ARGS__                                                                                                    \
    }
/* Free names to scalars: FIELD_MAP(T, headers, VALUE_TEXT, ...). */
#define FIELD_MAP(T, member, value_kind, ...)                                                                          \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_VALUE_MAP, .offset = FIELD_OFFSET(T, member, NamedVec), .kind = value_kind,    \
        __VA_ARGS__                                                                                                    \
    }
/* The member is a pointer to the struct, NULL where not given. */
#define FIELD_STRUCT(T, member, struct_type, ...)                                                                      \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_STRUCT, .offset = offsetof(T, member), .type = (struct_type), __VA_ARGS__      \
    }
/* The member is a VEC of the struct. */
#define FIELD_STRUCT_LIST(T, member, struct_type, ...)                                                                 \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_STRUCT_LIST, .offset = offsetof(T, member), .type = (struct_type), __VA_ARGS__ \
    }
#define FIELD_STRUCT_MAP(T, member, struct_type, ...)                                                                  \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_STRUCT_MAP, .offset = FIELD_OFFSET(T, member, NamedVec),                       \
        .type = (struct_type), __VA_ARGS__                                                                             \
    }
#define FIELD_KIND_LIST(T, member, kinds, one, ...)                                                                    \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_KIND_LIST, .offset = FIELD_OFFSET(T, member, KindedVec), .kind_at = (kinds),   \
        .noun = (one), __VA_ARGS__                                                                                     \
    }
#define FIELD_KIND_MAP(T, member, kinds, one, ...)                                                                     \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_KIND_MAP, .offset = FIELD_OFFSET(T, member, KindedVec), .kind_at = (kinds),    \
        .noun = (one), __VA_ARGS__                                                                                     \
    }
/* The escape: `function` decodes the node into the member. */
#define FIELD_CUSTOM(T, member, function, ...)                                                                         \
    {                                                                                                                  \
        .name = #member, .shape = SHAPE_CUSTOM, .offset = offsetof(T, member), .hook = (function), __VA_ARGS__         \
    }

typedef struct Variable {
    const char *name;
    ValueType type;       /* kind VALUE_ABSENT: its declaration is broken, which was reported */
    const Node *declared; /* the declaration's key, for errors */
    Value value;          /* VALUE_ABSENT while it has none */
    const char *help;     /* NULL: none */
    unsigned used;        /* references seen by decoding */
} Variable;

typedef VEC(Variable) VariableVec;

/* The variables that references may name. */
typedef struct Scope {
    VariableVec variables;
    bool lint; /* variables without value are fine */
} Scope;

Variable *scope_find(const Scope *scope, const char *name);

/* The variables that have values, as a map for templates: text; booleans so that sections can ask them. Besides, what
 * other languages write differently: a duration of whole seconds is also NAME_seconds, a size NAME_bytes, both
 * integers. */
Node *scope_to_node(Arena *arena, const Scope *scope);

struct Decoder {
    Arena *arena; /* where specs are made; Nodes and sources must outlive them */
    Diagnostics *diags;
    Scope *scope; /* NULL: `{{` is an error */
};

/* Decodes a map into *ret (type->size bytes, zeroed first). False where errors were added; then *ret is not sound. */
bool decode_struct(Decoder *d, const StructType *type, const Node *node, void *ret);
/* One scalar, with references. `what` names it in errors: key "timeout". */
bool decode_value(Decoder *d, const ValueType *type, const char *what, const Node *node, Value *ret);

/* The scalar's type of a field. */
ValueType field_value_type(const Field *field);
