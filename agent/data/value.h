/* SPDX-License-Identifier: Apache-2.0 */
/* Values are typed data (promise 9). A value has one of these kinds, is checked once, when it is read, and from then on
 * carries its meaning in its own unit and its canonical text.
 *
 *     kind      written                        meaning
 *     int       -5, 60                         integer
 *     duration  850ms, 60s, 5min, 2h, never    duration in usec; a bare number is refused; `never` is USEC_INFINITY
 *     size      512KiB, 2MiB, 1GiB, 10B        size in bytes; powers of 1024 only
 *     percent   20%                            percent, 0 to 10000
 *     bool      true, false                    boolean
 *     unit      gunicorn.service, web@1        text: a systemd unit name; ".service" is added where no suffix is given
 *     path      /srv/app/current               text: absolute, normalised: no "//", "." or "..", no control characters
 *     url       http://host[:port]/path        text: http or https, no user name, no blanks or control characters
 *     host      web1.example.com, 10.0.0.1     text: RFC 1123 name, IPv4, or IPv6 (with or without brackets)
 *     word      gthread, app:wsgi              text: letters, digits and . _ : @ % + / = - (at most 256): never needs
 *                                              quoting in a shell-like or systemd word, apart from systemd's %
 *     text      any words                      text: one line of at most 1000 bytes, for people
 *     enum      one of the type's choices      choice: index into choices; text
 *     scalar    anything                       text as written; judged later by whoever asked for it
 *
 * `auto` (let salve find out) and `never` are accepted only where the type says so, whatever its bounds are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "data/node.h"

typedef enum ValueKind {
    VALUE_ABSENT, /* an optional field that was not given and has no default */
    VALUE_INT,
    VALUE_DURATION,
    VALUE_SIZE,
    VALUE_PERCENT,
    VALUE_BOOL,
    VALUE_UNIT,
    VALUE_PATH,
    VALUE_URL,
    VALUE_HOST,
    VALUE_WORD,
    VALUE_TEXT,
    VALUE_ENUM,
    VALUE_SCALAR,
} ValueKind;

/* What a value must be. Bounds are texts in the kind's own syntax ("1s", "300s", "2"), inclusive, NULL = none; they
 * exist for int, duration, size and percent. */
typedef struct ValueType {
    ValueKind kind;
    const char *min, *max;
    const char *const *choices; /* enum: NULL-terminated */
    bool allow_auto, allow_never;
} ValueType;

typedef struct Value {
    ValueKind kind;
    bool is_auto;     /* the value is `auto`; then only kind and text are set */
    const char *text; /* canonical: "60s", "gunicorn.service", "true"; NULL only in an absent value */
    union {
        int64_t integer; /* INT64_MAX = never */
        usec duration;   /* USEC_INFINITY = never */
        uint64_t size;
        uint64_t percent;
        bool boolean;
        int choice;
    };
    const Node *node; /* where it was given; NULL for defaults and values not from a file */
} Value;

typedef VEC(Value) ValueVec;

static inline bool value_is_set(const Value *value)
{
    return value->kind != VALUE_ABSENT;
}

/* Given, and not `auto`. */
static inline bool value_is_known(const Value *value)
{
    return value->kind != VALUE_ABSENT && !value->is_auto;
}

/* "duration", "unit", ...; value_kind_phrase is the same for sentences, "a systemd unit name"; value_kind_from_name
 * gives VALUE_ABSENT for an unknown name. value_kind_names is a NULL-terminated list of those that a playbook's
 * variable may have. */
const char *value_kind_name(ValueKind kind);
const char *value_kind_phrase(ValueKind kind);
ValueKind value_kind_from_name(const char *name);
extern const char *const value_kind_names[];

/* Parses and checks; ERR_INVALID names what is wrong and what is expected: "60" is not a duration (write 60s). */
int value_parse(Arena *arena, const ValueType *type, const char *text, Value *ret, Err *err);

/* -1, 0, 1 for two values of the same ordered kind (int, duration, size, percent); never is greater than all. */
int value_compare(const Value *a, const Value *b);

/* Some value that satisfies the type: what lint decodes with where a variable has no value yet. */
Value value_placeholder(Arena *arena, const ValueType *type);

/* Constructors for values that salve itself makes. */
Value value_of_int(Arena *arena, int64_t integer);
Value value_of_duration(Arena *arena, usec duration);
Value value_of_text(Arena *arena, ValueKind kind, const char *text);

/* "60s", "1500ms", "10min", "2h", "never": the largest unit that loses nothing, seconds below ten minutes; what is
 * finer than 1 ms is written "250us", which is not read back. Unlike usec_to_string (base/clock.h) this is exact. */
char *duration_to_text(Arena *arena, usec duration);
char *size_to_text(Arena *arena, uint64_t size);

/* Conversions to a target's unit. What would lose precision is ERR_INVALID ("1500ms is not a whole number of
 * seconds"), and so is never: the caller knows how its target writes that. */
int duration_to_seconds(usec duration, int64_t *ret_seconds, Err *err);
int duration_to_msec(usec duration, int64_t *ret_msec, Err *err);

/* The rules by themselves, for other readers. */
bool is_unit_name(const char *text); /* with suffix; systemd.unit(5): at most 255, one @ at most, known suffix */
bool is_host_name(const char *text);
bool is_word(const char *text);
bool is_normal_path(const char *text);
/* [a-z][a-z0-9-]*, at most 64: names of playbooks and checks; `underscores` for variables: [a-z][a-z0-9_]*. */
bool is_name(const char *text, bool underscores);
