/* SPDX-License-Identifier: Apache-2.0 */
/* Where something listens, and what a client connects to: in the notations of Gunicorn, systemd and nginx. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"

typedef enum AddressKind {
    ADDRESS_TCP,
    ADDRESS_UNIX,
    ADDRESS_UNKNOWN, /* a variable, a descriptor (fd://3): not to be told from the files */
} AddressKind;

typedef struct Address {
    AddressKind kind;
    const char *text; /* as written */
    const char *host; /* TCP: a name or a number without brackets; "" and "*" are every address */
    uint16_t port;    /* TCP */
    const char *path; /* unix: absolute, /var/run as /run; an abstract socket keeps its "@" */
} Address;

typedef VEC(Address) AddressVec;

/* Gunicorn's bind (util.py parse_address): "127.0.0.1:8000", "[::1]:80", ":8000", "unix:/run/x.sock",
 * "fd://3"; the default port is 8000. */
Address address_of_bind(Arena *arena, const char *text);
/* systemd's ListenStream=: a path, "@abstract", a port (every address), "host:port". */
Address address_of_listen_stream(Arena *arena, const char *text);
/* What nginx connects to: "host", "host:port", "unix:/path" with an optional ":" behind it. Variables are unknown. */
Address address_of_nginx_peer(Arena *arena, const char *text, uint16_t default_port);

/* Whether a client that connects to `target` on this host reaches what listens on `bind`: same socket, or same port and
 * hosts that meet (localhost is 127.0.0.1 and ::1; 0.0.0.0, [::] and no host are every address). Unknown reaches
 * nothing. */
bool address_reaches(const Address *target, const Address *bind);
