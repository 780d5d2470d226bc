/* SPDX-License-Identifier: Apache-2.0 */
#include "report/event-json.h"

#include <errno.h>
#include <stdlib.h>

typedef enum FieldKind {
    FIELD_KIND,
    FIELD_STATE,
    FIELD_VERDICT,
    FIELD_TIME,
    FIELD_TEXT,
    FIELD_BOOL,
    FIELD_DOUBLE,
    FIELD_USEC,
} FieldKind;

/* In the order of json_of_event. Only the first two are in every line. */
static const struct {
    const char *key;
    FieldKind kind;
    size_t offset;
    bool required;
} fields[] = {
    {"event", FIELD_KIND, offsetof(Event, kind), true},
    {"state", FIELD_STATE, offsetof(Event, state), true},
    {"time", FIELD_TIME, offsetof(Event, realtime), false},
    {"run", FIELD_TEXT, offsetof(Event, run_id), false},
    {"subject", FIELD_TEXT, offsetof(Event, subject), false},
    {"text", FIELD_TEXT, offsetof(Event, text), false},
    {"verdict", FIELD_VERDICT, offsetof(Event, verdict), false},
    {"ok", FIELD_BOOL, offsetof(Event, ok), false},
    {"value", FIELD_DOUBLE, offsetof(Event, value), false},
    {"unit", FIELD_TEXT, offsetof(Event, unit), false},
    {"duration_usec", FIELD_USEC, offsetof(Event, duration_usec), false},
    {"total_usec", FIELD_USEC, offsetof(Event, total_usec), false},
};

static bool to_double(const Node *node, double *ret)
{
    char *end;
    errno = 0;
    double value = strtod(node->text, &end);
    bool sound = node->kind == NODE_SCALAR && !node->quoted && *node->text && !*end && errno == 0;
    if (sound)
        *ret = value;
    return sound;
}

static bool to_usec(const Node *node, usec *ret)
{
    int64_t value;
    if (!node_to_int(node, &value) || value < 0)
        return false;
    *ret = (usec)value;
    return true;
}

/* An enumeration by its names; they all begin at 0. */
static bool to_enum(int (*from_string)(const char *text), const char *text, void *member)
{
    int value = from_string(text);
    if (value >= 0)
        *(unsigned *)member = (unsigned)value;
    return value >= 0;
}

_Static_assert(sizeof(EventKind) == sizeof(unsigned) && sizeof(RunState) == sizeof(unsigned) &&
                   sizeof(Verdict) == sizeof(unsigned),
               "to_enum writes an unsigned");

static bool decode(FieldKind kind, const Node *node, void *member)
{
    bool text = node->kind == NODE_SCALAR && node->quoted;
    switch (kind) {
    case FIELD_KIND: return text && to_enum(event_kind_from_string, node->text, member);
    case FIELD_STATE: return text && to_enum(run_state_from_string, node->text, member);
    case FIELD_VERDICT: return text && to_enum(verdict_from_string, node->text, member);
    case FIELD_TIME: return text && usec_from_rfc3339(node->text, member);
    case FIELD_BOOL: return node_to_bool(node, member);
    case FIELD_DOUBLE: return to_double(node, member);
    case FIELD_USEC: return to_usec(node, member);
    case FIELD_TEXT: break;
    }
    if (text)
        *(const char **)member = node->text;
    return text;
}

int event_from_json(const Node *map, Event *ret, Err *err)
{
    Event event = {0};
    if (!map || map->kind != NODE_MAP)
        return err_set(err, ERR_INVALID, "an event is an object");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const Node *node = node_get(map, fields[i].key);
        bool given = node && !node_is_null(node);
        if (given ? !decode(fields[i].kind, node, (char *)&event + fields[i].offset) : fields[i].required)
            return err_set(err, ERR_INVALID, "\"%s\" of an event is missing or not what it should be", fields[i].key);
    }
    *ret = event;
    return 0;
}
