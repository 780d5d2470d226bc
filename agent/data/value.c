/* SPDX-License-Identifier: Apache-2.0 */
/* One row a kind: its name, how its text is read, and an example for messages and placeholders. */
#include "data/value.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

typedef struct KindRow {
    const char *name;
    const char *phrase; /* "a duration" */
    const char *expected;
    const char *example;
    /* False: the text is not of this kind. Sets the union and, where it differs from the input, value->text. */
    bool (*read)(Arena *arena, const ValueType *type, const char *text, Value *value);
    bool ordered;
} KindRow;

typedef struct Unit {
    const char *name;
    uint64_t factor;
} Unit;

static const Unit duration_units[] = {
    {"ms", USEC_PER_MSEC}, {"s", USEC_PER_SEC}, {"min", USEC_PER_MIN}, {"h", USEC_PER_HOUR}};
static const Unit size_units[] = {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};

/* "12min": digits without sign, then a unit. At most 10 digits, so that the product fits and the text stays sane. */
static bool read_quantity(Arena *arena, const char *text, const Unit *units, size_t n, Value *value)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10)
        return false;
    uint64_t count = strtoull(text, NULL, 10), product;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(count, units[i].factor, &product) || product > INT64_MAX)
            return false;
        value->text = arena_printf(arena, "%llu%s", (unsigned long long)count, units[i].name);
        value->size = product;
        return true;
    }
    return false;
}

static bool read_duration(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    if (type->allow_never && strcmp(text, "never") == 0) {
        value->duration = USEC_INFINITY;
        return true;
    }
    return read_quantity(arena, text, duration_units, ARRAY_LEN(duration_units), value);
}

static bool read_size(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    return read_quantity(arena, text, size_units, ARRAY_LEN(size_units), value);
}

static bool read_percent(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    static const Unit percent = {"%", 1};
    return read_quantity(arena, text, &percent, 1, value) && value->percent <= 10000;
}

static bool read_int(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    if (type->allow_never && strcmp(text, "never") == 0) {
        value->integer = INT64_MAX;
        return true;
    }
    const char *digits = text + (*text == '-');
    if (!*digits || digits[strspn(digits, "0123456789")])
        return false;
    errno = 0;
    value->integer = strtoll(text, NULL, 10);
    value->text = arena_printf(arena, "%lld", (long long)value->integer);
    return errno == 0;
}

static bool read_bool(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    value->boolean = strcmp(text, "true") == 0;
    return value->boolean || strcmp(text, "false") == 0;
}

static bool read_unit(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    if (is_unit_name(text))
        return true;
    if (strcmp(text, "auto") == 0)
        return false;
    value->text = arena_printf(arena, "%s.service", text);
    return is_unit_name(value->text);
}

static bool read_path(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    return is_normal_path(text);
}

static bool is_port(const char *text, size_t len)
{
    return len >= 1 && len <= 5 && strspn(text, "0123456789") >= len && strtol(text, NULL, 10) >= 1 &&
           strtol(text, NULL, 10) <= 65535;
}

static bool read_url(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    const char *host = str_starts(text, "http://") ? text + 7 : str_starts(text, "https://") ? text + 8 : NULL;
    if (!host || strlen(text) > 2000)
        return false;
    for (const char *c = host; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f || strchr("\"<>\\^`{|}", *c))
            return false;
    }
    size_t authority = strcspn(host, "/?#"), name = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (name > authority || (name < authority && host[name] != ':'))
        return false;
    if (name < authority && !is_port(host + name + 1, authority - name - 1))
        return false;
    return is_host_name(arena_strndup(arena, host, name));
}

static bool read_host(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    return is_host_name(text);
}

static bool read_word(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    return is_word(text);
}

static bool read_text(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    size_t len = strlen(text);
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    return len >= 1 && len <= 1000 && utf8_valid_len((Bytes){text, len}) == len;
}

static bool read_enum(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    for (int i = 0; type->choices && type->choices[i]; i++) {
        value->choice = i;
        if (strcmp(type->choices[i], text) == 0)
            return true;
    }
    return false;
}

static bool read_scalar(Arena *arena, const ValueType *type, const char *text, Value *value)
{
    return true;
}

static const KindRow kinds[] = {
    [VALUE_INT] = {"int", "an integer", "digits", "1", read_int, true},
    [VALUE_DURATION] = {"duration", "a duration", "an integer with ms, s, min or h", "1s", read_duration, true},
    [VALUE_SIZE] = {"size", "a size", "an integer with B, KiB, MiB or GiB", "1MiB", read_size, true},
    [VALUE_PERCENT] = {"percent", "a percentage", "an integer with %", "1%", read_percent, true},
    [VALUE_BOOL] = {"bool", "a boolean", "true or false", "true", read_bool, false},
    [VALUE_UNIT] = {"unit", "a systemd unit name", "like gunicorn.service", "unit.service", read_unit, false},
    [VALUE_PATH] = {"path", "a path", "absolute, without .. or //", "/path", read_path, false},
    [VALUE_URL] = {"url", "a URL", "http:// or https:// with a host, no user name, no blanks", "http://host/", read_url,
                   false},
    [VALUE_HOST] = {"host", "a host", "a host name or an IP address", "host", read_host, false},
    [VALUE_WORD] = {"word", "a word", "letters, digits and . _ : @ % + / = -", "word", read_word, false},
    [VALUE_TEXT] = {"text", "a text", "one line of at most 1000 bytes", "text", read_text, false},
    [VALUE_ENUM] = {"enum", "a choice", "one of the choices", NULL, read_enum, false},
    [VALUE_SCALAR] = {"scalar", "a value", "anything", "value", read_scalar, false},
};

const char *const value_kind_names[] = {"int", "duration", "size", "percent", "bool", "unit", "path",
                                        "url", "host",     "word", "text",    "enum", NULL};

const char *value_kind_name(ValueKind kind)
{
    return kind > VALUE_ABSENT && kind < ARRAY_LEN(kinds) ? kinds[kind].name : "absent";
}

const char *value_kind_phrase(ValueKind kind)
{
    return kind > VALUE_ABSENT && kind < ARRAY_LEN(kinds) ? kinds[kind].phrase : "nothing";
}

ValueKind value_kind_from_name(const char *name)
{
    for (ValueKind kind = VALUE_INT; kind < VALUE_SCALAR; kind++) {
        if (strcmp(kinds[kind].name, name) == 0)
            return kind;
    }
    return VALUE_ABSENT;
}

int value_compare(const Value *a, const Value *b)
{
    if (a->kind == VALUE_INT)
        return (a->integer > b->integer) - (a->integer < b->integer);
    return (a->size > b->size) - (a->size < b->size);
}

static int check_bound(Arena *arena, const ValueType *type, const char *bound, int sign, const Value *value, Err *err)
{
    Value limit = {.kind = type->kind};
    if (!bound || !kinds[type->kind].ordered || !kinds[type->kind].read(arena, type, bound, &limit))
        return 0;
    if (value_compare(value, &limit) * sign <= 0)
        return 0;
    return err_set(err, ERR_INVALID, "%s is too %s: at %s %s", value->text, sign > 0 ? "large" : "small",
                   sign > 0 ? "most" : "least", bound);
}

static int fail_kind(const ValueType *type, const char *text, Err *err)
{
    const KindRow *row = &kinds[type->kind];
    if (type->kind == VALUE_ENUM) {
        char list[512];
        size_t len = 0;
        for (size_t i = 0; type->choices && type->choices[i] && len < sizeof list; i++)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", type->choices[i]);
        return err_set(err, ERR_INVALID, "\"%.200s\" is not one of %s", text, len ? list : "no choices");
    }
    if (type->kind == VALUE_DURATION && *text && !text[strspn(text, "0123456789")])
        return err_set(err, ERR_INVALID, "\"%.20s\" has no unit: write %.20ss or %.20sms", text, text, text);
    bool word = strcmp(text, "auto") == 0 || strcmp(text, "never") == 0;
    return err_set(err, ERR_INVALID, "\"%.200s\" is not %s%s (%s%s)", text, row->phrase, word ? " accepted here" : "",
                   row->expected,
                   type->allow_auto    ? ", or auto"
                   : type->allow_never ? ", or never"
                                       : "");
}

int value_parse(Arena *arena, const ValueType *type, const char *text, Value *ret, Err *err)
{
    if (type->kind <= VALUE_ABSENT || type->kind >= ARRAY_LEN(kinds))
        return err_set(err, ERR_INVALID, "\"%.200s\" has no type", text);
    Value value = {.kind = type->kind, .text = arena_strdup(arena, text)};
    if (type->allow_auto && strcmp(text, "auto") == 0) {
        value.is_auto = true;
        *ret = value;
        return 0;
    }
    if (!kinds[type->kind].read(arena, type, text, &value))
        return fail_kind(type, text, err);
    bool never = type->allow_never && strcmp(text, "never") == 0;
    int r = check_bound(arena, type, type->min, -1, &value, err);
    if (r >= 0 && !never) /* which the type allows besides what its bounds say */
        r = check_bound(arena, type, type->max, 1, &value, err);
    if (r >= 0)
        *ret = value;
    return r;
}

Value value_placeholder(Arena *arena, const ValueType *type)
{
    Value value = {0};
    Err ignored;
    const char *const tries[] = {kinds[type->kind].example, type->min, type->max,
                                 type->kind == VALUE_ENUM && type->choices ? type->choices[0] : NULL};
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        if (tries[i] && value_parse(arena, type, tries[i], &value, &ignored) == 0)
            return value;
    }
    return (Value){.kind = type->kind, .text = "?"};
}

Value value_of_int(Arena *arena, int64_t integer)
{
    return (Value){.kind = VALUE_INT, .integer = integer, .text = arena_printf(arena, "%lld", (long long)integer)};
}

Value value_of_duration(Arena *arena, usec duration)
{
    return (Value){.kind = VALUE_DURATION, .duration = duration, .text = duration_to_text(arena, duration)};
}

Value value_of_text(Arena *arena, ValueKind kind, const char *text)
{
    return (Value){.kind = kind, .text = arena_strdup(arena, text)};
}

char *duration_to_text(Arena *arena, usec duration)
{
    if (duration == USEC_INFINITY)
        return arena_strdup(arena, "never");
    if (duration % USEC_PER_MSEC != 0)
        return arena_printf(arena, "%lluus", (unsigned long long)duration);
    size_t unit = 0;
    for (size_t i = 1; i < ARRAY_LEN(duration_units); i++) {
        bool minutes = duration_units[i].factor == USEC_PER_MIN;
        if (duration % duration_units[i].factor == 0 && !(minutes && duration < 10 * USEC_PER_MIN))
            unit = i;
    }
    if (duration == 0)
        unit = 1;
    return arena_printf(arena, "%llu%s", (unsigned long long)(duration / duration_units[unit].factor),
                        duration_units[unit].name);
}

char *size_to_text(Arena *arena, uint64_t size)
{
    size_t unit = 0;
    while (size > 0 && unit + 1 < ARRAY_LEN(size_units) && size % size_units[unit + 1].factor == 0)
        unit++;
    return arena_printf(arena, "%llu%s", (unsigned long long)(size / size_units[unit].factor), size_units[unit].name);
}

static int duration_in(usec duration, usec unit, const char *name, int64_t *ret, Err *err)
{
    if (duration == USEC_INFINITY)
        return err_set(err, ERR_INVALID, "never is not a number of %s", name);
    if (duration % unit != 0)
        return err_set(err, ERR_INVALID, "%llu%s is not a whole number of %s",
                       (unsigned long long)(duration % USEC_PER_MSEC ? duration : duration / USEC_PER_MSEC),
                       duration % USEC_PER_MSEC ? "us" : "ms", name);
    *ret = (int64_t)(duration / unit);
    return 0;
}

int duration_to_seconds(usec duration, int64_t *ret_seconds, Err *err)
{
    return duration_in(duration, USEC_PER_SEC, "seconds", ret_seconds, err);
}

int duration_to_msec(usec duration, int64_t *ret_msec, Err *err)
{
    return duration_in(duration, USEC_PER_MSEC, "milliseconds", ret_msec, err);
}
