/* SPDX-License-Identifier: Apache-2.0 */
#include "host/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* Signals are kept as messages and decoded when they are asked for: the callback has no arena of the caller's. */
enum { MAX_KEPT_SIGNALS = 4096 };
/* A unique name (":1.42") is at most 255 bytes long (D-Bus specification, "Valid Names"). */
enum { UNIQUE_NAME_MAX = 256 };

/* How often we ask at most who owns the sender's name: somebody may send one forged signal after the other. */
static const usec OWNER_USEC = USEC_PER_SEC / 10;
/* A bus daemon that does not answer is no reason to stand still: without an owner no signal counts, and whoever waits
 * looks for itself. */
static const usec OWNER_ANSWER_USEC = 2 * USEC_PER_SEC;
/* How long messages that are nothing to us may keep us from looking at the clock. */
static const usec FLOOD_USEC = USEC_PER_SEC;

struct Bus {
    sd_bus *bus;
    sd_bus_message *signals[MAX_KEPT_SIGNALS];
    size_t n_signals, next_signal;
    bool direct;                 /* no bus daemon: whatever comes is from the peer */
    const char *sender;          /* of kept signals, a well-known name ... */
    char owner[UNIQUE_NAME_MAX]; /* ... and the connection that owns the name; "": nobody, as far as we know */
    bool doubted;                /* a signal of another connection came: the owner may have changed */
    usec asked;                  /* monotonic, when we asked for the owner last */
};

static void message_unref(sd_bus_message *message)
{
    sd_bus_message_unref(message);
}
DEFINE_CLEANUP(sd_bus_message *, message_unref)

BusValue bus_string(const char *text)
{
    return (BusValue){.type = 's', .signature = "s", .text = text};
}

BusValue bus_basic(char type, uint64_t number)
{
    static const char *const signatures[] = {"y", "b", "n", "q", "i", "u", "x", "t", "h"};
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        if (signatures[i][0] == type)
            return (BusValue){.type = type, .signature = signatures[i], .number = number};
    }
    abort();
}

BusValue bus_array(const char *signature, BusValueVec items)
{
    return (BusValue){.type = 'a', .signature = signature, .items = items};
}

BusValue bus_strings(Arena *arena, const StringVec *strings)
{
    BusValueVec items = {0};
    VEC_EACH (text, strings) {
        *vec_push(arena, &items) = bus_string(*text);
    }
    return bus_array("as", items);
}

BusValue bus_variant(Arena *arena, BusValue inner)
{
    BusValue value = {.type = 'v', .signature = "v"};
    *vec_push(arena, &value.items) = inner;
    return value;
}

BusValue bus_struct(Arena *arena, const BusValue *members, size_t n)
{
    BusValue value = {.type = 'r'};
    StrBuf signature = STRBUF_INIT(256);
    strbuf_add_char(&signature, '(');
    for (size_t i = 0; i < n; i++) {
        *vec_push(arena, &value.items) = members[i];
        strbuf_add_str(&signature, members[i].signature);
    }
    strbuf_add_char(&signature, ')');
    value.signature = strbuf_dup(arena, &signature);
    strbuf_free(&signature);
    return value;
}

const BusValue *bus_dict_get(const BusValue *dict, const char *name)
{
    VEC_EACH (entry, &dict->items) {
        if (entry->type != 'e' || entry->items.n != 2 || !str_equal(entry->items.items[0].text, name))
            continue;
        const BusValue *value = &entry->items.items[1];
        while (value->type == 'v' && value->items.n == 1)
            value = &value->items.items[0];
        return value;
    }
    return NULL;
}

static void add_value(StrBuf *out, const BusValue *value)
{
    switch (value->type) {
    case 's':
    case 'o':
    case 'g': strbuf_add_str(out, value->text); return;
    case 'b': strbuf_add_str(out, value->number ? "yes" : "no"); return;
    case 'n':
    case 'i':
    case 'x': strbuf_printf(out, "%" PRId64, (int64_t)value->number); return;
    case 'd': strbuf_printf(out, "%g", value->real); return;
    case 'y':
    case 'q':
    case 'u':
    case 'h': strbuf_printf(out, "%" PRIu64, value->number); return;
    case 't':
        if (value->number == UINT64_MAX)
            strbuf_add_str(out, "infinity");
        else
            strbuf_printf(out, "%" PRIu64, value->number);
        return;
    default: break;
    }
    if (value->type == 'r')
        strbuf_add_char(out, '(');
    VEC_EACH (item, &value->items) {
        if (item > value->items.items)
            strbuf_add_char(out, value->type == 'e' ? '=' : ' ');
        add_value(out, item);
    }
    if (value->type == 'r')
        strbuf_add_char(out, ')');
}

char *bus_value_to_string(Arena *arena, const BusValue *value)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    add_value(&out, value);
    return strbuf_dup(arena, &out);
}

static int read_values(sd_bus_message *message, Arena *arena, BusValueVec *values);

static int read_basic(sd_bus_message *message, Arena *arena, char type, BusValue *value)
{
    union {
        uint8_t y;
        int b, h;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *s;
    } raw = {0};
    int r = sd_bus_message_read_basic(message, type, &raw);
    if (r < 0)
        return r;
    switch (type) {
    case 'y': value->number = raw.y; break;
    case 'b': value->number = raw.b != 0; break;
    case 'h': value->number = (uint64_t)raw.h; break;
    case 'n': value->number = (uint64_t)(int64_t)raw.n; break;
    case 'q': value->number = raw.q; break;
    case 'i': value->number = (uint64_t)(int64_t)raw.i; break;
    case 'u': value->number = raw.u; break;
    case 'x': value->number = (uint64_t)raw.x; break;
    case 't': value->number = raw.t; break;
    case 'd': value->real = raw.d; break;
    default: value->text = arena_strdup(arena, raw.s ? raw.s : ""); break;
    }
    return 0;
}

static const char *basic_signature(char type)
{
    static const char letters[][2] = {"y", "b", "n", "q", "i", "u", "x", "t", "d", "s", "o", "g", "h"};
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i][0] == type)
            return letters[i];
    }
    return "";
}

/* The signature of a container from its type and the signature of what is in it. */
static const char *container_signature(Arena *arena, char type, const char *contents)
{
    switch (type) {
    case 'a': return arena_concat(arena, "a", contents, "");
    case 'v': return "v";
    case 'e': return arena_concat(arena, "{", contents, "}");
    default: return arena_concat(arena, "(", contents, ")");
    }
}

/* Most containers of a unit's properties are entries and variants: they get room for what they hold, and no more. */
static BusValueVec items_of(Arena *arena, char type)
{
    size_t n = type == 'v' ? 1 : type == 'e' ? 2 : 0;
    return (BusValueVec){.items = n ? arena_array(arena, BusValue, n) : NULL, .capacity = n};
}

static int read_container(sd_bus_message *message, Arena *arena, char type, const char *contents, BusValue *value)
{
    const char *inner = arena_strdup(arena, contents); /* the message's own goes with the position */
    value->signature = container_signature(arena, type, inner);
    value->items = items_of(arena, type);
    int r = sd_bus_message_enter_container(message, type, inner);
    if (r >= 0)
        r = read_values(message, arena, &value->items);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* Reads one value; 0 at the end of the present container. */
static int read_value(sd_bus_message *message, Arena *arena, BusValueVec *values)
{
    char type = 0;
    const char *contents = NULL;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r <= 0)
        return r;
    BusValue value = {.type = type, .signature = basic_signature(type)};
    r = contents ? read_container(message, arena, type, contents, &value) : read_basic(message, arena, type, &value);
    if (r < 0)
        return r;
    *vec_push(arena, values) = value;
    return 1;
}

static int read_values(sd_bus_message *message, Arena *arena, BusValueVec *values)
{
    int r;
    while ((r = read_value(message, arena, values)) > 0)
        ;
    return r;
}

static int read_message(sd_bus_message *message, Arena *arena, BusValue *ret_value)
{
    BusValue value = {.type = 'r'};
    value.signature = container_signature(arena, 'r', sd_bus_message_get_signature(message, 1));
    int r = read_values(message, arena, &value.items);
    if (r >= 0)
        *ret_value = value;
    return r;
}

static int append_basic(sd_bus_message *message, const BusValue *value)
{
    uint8_t y = (uint8_t)value->number;
    int b = value->number != 0, h = (int)value->number;
    int16_t n = (int16_t)value->number;
    uint16_t q = (uint16_t)value->number;
    int32_t i = (int32_t)value->number;
    uint32_t u = (uint32_t)value->number;
    const struct {
        char type;
        const void *data;
    } raw[] = {
        {'y', &y},
        {'b', &b},
        {'h', &h},
        {'n', &n},
        {'q', &q},
        {'i', &i},
        {'u', &u},
        {'x', &value->number},
        {'t', &value->number},
        {'d', &value->real},
        {'s', value->text},
        {'o', value->text},
        {'g', value->text},
    };
    for (size_t k = 0; k < ARRAY_LEN(raw); k++) {
        if (raw[k].type == value->type)
            return sd_bus_message_append_basic(message, value->type, raw[k].data);
    }
    return -EINVAL;
}

static int append_value(Arena *arena, sd_bus_message *message, const BusValue *value)
{
    const char *contents;
    switch (value->type) {
    case 'v': contents = value->items.n ? value->items.items[0].signature : ""; break;
    case 'a': contents = value->signature + 1; break;
    case 'r':
    case 'e': contents = arena_strndup(arena, value->signature + 1, strlen(value->signature) - 2); break;
    default: return append_basic(message, value);
    }
    int r = sd_bus_message_open_container(message, value->type, contents);
    VEC_EACH (item, &value->items) {
        if (r >= 0)
            r = append_value(arena, message, item);
    }
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int open_bus(const char *address, bool direct, sd_bus **ret_bus)
{
    if (!address)
        return sd_bus_open_system(ret_bus);
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0 && !direct)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    /* The socket may be there without anybody who answers: authentication tells. */
    if (r >= 0 && direct)
        r = sd_bus_is_ready(bus) < 0 ? -ENOTCONN : 0;
    if (r < 0)
        sd_bus_close_unref(bus);
    else
        *ret_bus = bus;
    return r;
}

int bus_open(const char *address, bool direct, Bus **ret_bus, Err *err)
{
    sd_bus *opened = NULL;
    int r = open_bus(address, direct, &opened);
    if (r < 0)
        return err_errno(err, -r, "cannot reach %s", address ? address : "the system bus");
    Bus *bus = xmalloc(sizeof *bus);
    *bus = (Bus){.bus = opened, .direct = direct};
    *ret_bus = bus;
    return 0;
}

void bus_drop_signals(Bus *bus)
{
    while (bus->next_signal < bus->n_signals)
        sd_bus_message_unref(bus->signals[bus->next_signal++]);
    bus->n_signals = bus->next_signal = 0;
}

void bus_close(Bus *bus)
{
    if (!bus)
        return;
    bus_drop_signals(bus);
    sd_bus_flush_close_unref(bus->bus);
    free(bus);
}

bool bus_is_open(Bus *bus)
{
    return sd_bus_is_open(bus->bus) > 0;
}

int bus_call(Bus *bus, Arena *arena, const BusCall *call, BusValue *ret_reply, const char **ret_error, Err *err)
{
    CLEANUP(message_unref) sd_bus_message *message = NULL;
    CLEANUP(message_unref) sd_bus_message *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_message_new_method_call(bus->bus, &message, call->destination, call->path, call->interface,
                                           call->member);
    for (size_t i = 0; r >= 0 && i < call->n_args; i++)
        r = append_value(arena, message, &call->args[i]);
    if (r < 0)
        return err_errno(err, -r, "cannot build the D-Bus call %s", call->member);
    r = sd_bus_call(bus->bus, message, call->timeout_usec, &error, &reply);
    if (r < 0) {
        const char *name = arena_strdup(arena, error.name ? error.name : "");
        const char *text = arena_strdup(arena, error.message ? error.message : strerror(-r));
        /* NoReply is the bus's word: the peer lost its connection, or was executed anew. Our own limit is Timeout. */
        bool lost = !bus_is_open(bus) || str_equal(name, SD_BUS_ERROR_NO_REPLY);
        bool answered = sd_bus_error_is_set(&error) && !lost && r != -ETIMEDOUT;
        sd_bus_error_free(&error);
        ErrKind kind = lost                          ? ERR_UNREACHABLE
                       : r == -ETIMEDOUT             ? ERR_TIMEOUT
                       : r == -EACCES || r == -EPERM ? ERR_DENIED
                       : answered                    ? ERR_FAILED
                                                     : ERR_UNREACHABLE;
        err_set(err, kind, "D-Bus call %s: %s", call->member, text);
        if (!answered || !ret_error)
            return -(int)kind;
        *ret_error = name;
        return BUS_ERROR_REPLY;
    }
    BusValue value;
    r = read_message(reply, arena, &value);
    if (r < 0)
        return err_errno(err, -r, "cannot read the answer to the D-Bus call %s", call->member);
    if (ret_reply)
        *ret_reply = value;
    return 0;
}

/* Asks the bus daemon, which alone knows, and whose answers nobody else can send. */
static void ask_owner(Bus *bus)
{
    CLEANUP(message_unref) sd_bus_message *call = NULL;
    CLEANUP(message_unref) sd_bus_message *reply = NULL;
    const char *owner = "";
    bus->asked = clock_monotonic();
    bus->doubted = false;
    int r = sd_bus_message_new_method_call(bus->bus, &call, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", "GetNameOwner");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", bus->sender);
    if (r >= 0)
        r = sd_bus_call(bus->bus, call, OWNER_ANSWER_USEC, NULL, &reply);
    if (r >= 0)
        r = sd_bus_message_read(reply, "s", &owner);
    snprintf(bus->owner, sizeof bus->owner, "%s", r >= 0 ? owner : "");
}

/* A signal that is sent to one connection reaches it whatever it asked for, and sd-bus compares no unique name with a
 * well-known one: anybody who is on the bus can send us "JobRemoved". */
static bool is_from_sender(Bus *bus, sd_bus_message *message)
{
    const char *from = sd_bus_message_get_sender(message);
    return bus->direct || (from && *bus->owner && strcmp(from, bus->owner) == 0);
}

static int keep_signal(sd_bus_message *message, void *context, sd_bus_error *error)
{
    Bus *bus = context;
    if (!is_from_sender(bus, message)) {
        bus->doubted = true;
        return 0;
    }
    if (bus->next_signal == bus->n_signals)
        bus->next_signal = bus->n_signals = 0;
    if (bus->n_signals == MAX_KEPT_SIGNALS && bus->next_signal > 0) {
        memmove(bus->signals, bus->signals + bus->next_signal,
                (bus->n_signals - bus->next_signal) * sizeof bus->signals[0]);
        bus->n_signals -= bus->next_signal;
        bus->next_signal = 0;
    }
    if (bus->n_signals == MAX_KEPT_SIGNALS)
        return -ENOBUFS; /* nobody reads them: the connection is of no use any more */
    bus->signals[bus->n_signals++] = sd_bus_message_ref(message);
    return 0;
}

int bus_keep_signal(Bus *bus, const char *sender, const char *path, const char *interface, const char *member, Err *err)
{
    int r = sd_bus_match_signal(bus->bus, NULL, sender, path, interface, member, keep_signal, bus);
    bus->sender = sender;
    if (r >= 0 && !bus->direct)
        ask_owner(bus);
    return r < 0 ? err_errno(err, -r, "cannot watch the D-Bus signal %s", member) : 0;
}

int bus_next_signal(Bus *bus, Arena *arena, usec timeout_usec, BusValue *ret_signal, Err *err)
{
    usec now = clock_monotonic();
    usec end = timeout_usec > USEC_INFINITY - now ? USEC_INFINITY : now + timeout_usec;
    while (bus->next_signal == bus->n_signals) {
        if (bus->doubted && clock_monotonic() - bus->asked >= OWNER_USEC)
            ask_owner(bus);
        int r = sd_bus_process(bus->bus, NULL);
        now = clock_monotonic();
        bool none = r >= 0 && bus->next_signal == bus->n_signals && now >= end;
        if (none && (r == 0 || now - end >= FLOOD_USEC))
            return BUS_NO_SIGNAL;
        if (r == 0)
            r = sd_bus_wait(bus->bus, end - now);
        if (r < 0 && r != -EINTR)
            return err_set(err, ERR_UNREACHABLE, "the connection to systemd was lost: %s", strerror(-r));
    }
    CLEANUP(message_unref) sd_bus_message *message = bus->signals[bus->next_signal++];
    int r = read_message(message, arena, ret_signal);
    return r < 0 ? err_errno(err, -r, "cannot read a D-Bus signal") : 0;
}

char *bus_path_encode(Arena *arena, const char *prefix, const char *name)
{
    CLEANUP(mem_free) char *path = NULL;
    if (sd_bus_path_encode(prefix, name, &path) < 0)
        return arena_printf(arena, "%s/_", prefix);
    return arena_strdup(arena, path);
}
