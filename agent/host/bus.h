/* SPDX-License-Identifier: Apache-2.0 */
/* D-Bus as plain values, through sd-bus.
 *
 * A message's content is a tree of BusValue, in an arena; so everything above this file (host/systemd.h) is a function
 * of plain data and can be tested without a bus. The signature of what is sent follows from the values, except for
 * empty arrays, which carry it. One thread uses a Bus; it is of no use after fork. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"

typedef struct Bus Bus;
typedef struct BusValue BusValue;
typedef VEC(BusValue) BusValueVec;

/* One value. `type` is the letter of the D-Bus specification: y b n q i u x t d s o g h (basic), a (array), v (variant,
 * one item), r (struct), e (dict entry, two items). */
struct BusValue {
    char type;
    const char *signature; /* of the whole value: "as", "(sb)", "a{sv}" */
    const char *text;      /* s o g, never NULL there */
    uint64_t number;       /* y b q u t, and h as a descriptor; n i x sign-extended: cast to int64_t */
    double real;           /* d */
    BusValueVec items;     /* a v r e */
};

/* Values to send. The text is borrowed until the call. */
BusValue bus_string(const char *text);
BusValue bus_basic(char type, uint64_t number);
BusValue bus_strings(Arena *arena, const StringVec *strings);
BusValue bus_array(const char *signature, BusValueVec items); /* "a(sb)" */
BusValue bus_variant(Arena *arena, BusValue inner);
BusValue bus_struct(Arena *arena, const BusValue *members, size_t n);

/* The value of `name` in a a{sv} (variants opened), or NULL. */
const BusValue *bus_dict_get(const BusValue *dict, const char *name);
/* For people: a string as it is, lists separated by blanks, structs in parentheses, UINT64_MAX as "infinity". */
char *bus_value_to_string(Arena *arena, const BusValue *value);

/* Opens the bus at `address` (NULL: the system bus). `direct` is a peer without a bus daemon, such as PID 1's private
 * socket. */
int bus_open(const char *address, bool direct, Bus **ret_bus, Err *err);
void bus_close(Bus *bus);
DEFINE_CLEANUP(Bus *, bus_close)

/* False once the peer has gone away. */
bool bus_is_open(Bus *bus);

typedef struct BusCall {
    const char *destination, *path, *interface, *member;
    const BusValue *args;
    size_t n_args;
    usec timeout_usec; /* 0: sd-bus's default, 25 s */
} BusCall;

enum { BUS_ERROR_REPLY = 1 };

/* Calls and waits. *ret_reply is a struct ('r') of the reply's values.
 * BUS_ERROR_REPLY: the peer answered with an error; *ret_error is its name ("org.freedesktop.systemd1.NoSuchUnit"), err
 * holds its text. Negative: no answer at all, ERR_UNREACHABLE where the connection or the peer was lost. ret_reply and
 * ret_error may be NULL; with ret_error NULL an error reply is a failure (negative). */
int bus_call(Bus *bus, Arena *arena, const BusCall *call, BusValue *ret_reply, const char **ret_error, Err *err);

/* Keeps signals of that name for bus_next_signal, from the connection that owns the well-known name `sender` and from
 * no other. When the name gets another owner, signals that come before we noticed are lost. One sender a bus; the text
 * is borrowed. */
int bus_keep_signal(Bus *bus, const char *sender, const char *path, const char *interface, const char *member,
                    Err *err);

enum { BUS_NO_SIGNAL = 1 };

/* The oldest kept signal's values as a struct; waits up to timeout_usec for one. BUS_NO_SIGNAL: none came in time. */
int bus_next_signal(Bus *bus, Arena *arena, usec timeout_usec, BusValue *ret_signal, Err *err);
/* Forgets the signals kept so far. */
void bus_drop_signals(Bus *bus);

/* "/org/freedesktop/systemd1/unit" + "a.service" -> ".../a_2eservice" (sd_bus_path_encode). */
char *bus_path_encode(Arena *arena, const char *prefix, const char *name);
