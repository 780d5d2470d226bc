/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/strbuf.h"

enum { GUNICORN_PORT = 8000 };

static Address unknown(Arena *arena, const char *text)
{
    return (Address){.kind = ADDRESS_UNKNOWN, .text = arena_strdup(arena, text), .host = "", .path = ""};
}

/* /var/run is a link to /run on every system with systemd. */
static Address unix_address(Arena *arena, const char *text, const char *path)
{
    bool old = str_starts(path, "/var/run/");
    return (Address){.kind = ADDRESS_UNIX,
                     .text = arena_strdup(arena, text),
                     .host = "",
                     .path = arena_strdup(arena, old ? path + strlen("/var") : path)};
}

static bool parse_port(const char *text, uint16_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    *ret = (uint16_t)port;
    return port >= 1 && port <= UINT16_MAX;
}

/* "host", "host:port", "[v6]:port". A host with several colons and no brackets is an IPv6 address. */
static Address host_port(Arena *arena, const char *text, const char *spec, uint16_t default_port)
{
    Address address = {
        .kind = ADDRESS_TCP, .text = arena_strdup(arena, text), .port = default_port, .path = "", .host = ""};
    const char *port = NULL, *bracket = spec[0] == '[' ? strchr(spec, ']') : NULL;
    if (bracket) {
        address.host = arena_strndup(arena, spec + 1, (size_t)(bracket - spec) - 1);
        port = bracket[1] == ':' ? bracket + 2 : NULL;
    } else {
        const char *colon = strchr(spec, ':');
        if (colon && strchr(colon + 1, ':'))
            colon = NULL;
        address.host = arena_strndup(arena, spec, colon ? (size_t)(colon - spec) : strlen(spec));
        port = colon ? colon + 1 : NULL;
    }
    if (port && !parse_port(port, &address.port))
        return unknown(arena, text);
    return address;
}

Address address_of_bind(Arena *arena, const char *text)
{
    if (str_starts(text, "unix://"))
        return unix_address(arena, text, text + strlen("unix://"));
    if (str_starts(text, "unix:"))
        return unix_address(arena, text, text + strlen("unix:"));
    if (str_starts(text, "fd://"))
        return unknown(arena, text);
    return host_port(arena, text, str_starts(text, "tcp://") ? text + strlen("tcp://") : text, GUNICORN_PORT);
}

Address address_of_listen_stream(Arena *arena, const char *text)
{
    uint16_t port;
    if (text[0] == '/' || text[0] == '@')
        return unix_address(arena, text, text);
    if (parse_port(text, &port))
        return (Address){.kind = ADDRESS_TCP, .text = arena_strdup(arena, text), .host = "", .port = port, .path = ""};
    if (str_starts(text, "vsock:"))
        return unknown(arena, text);
    return host_port(arena, text, text, 0);
}

Address address_of_nginx_peer(Arena *arena, const char *text, uint16_t default_port)
{
    if (strchr(text, '$'))
        return unknown(arena, text);
    if (!str_starts(text, "unix:"))
        return host_port(arena, text, text, default_port);
    const char *path = text + strlen("unix:"), *colon = strchr(path, ':');
    return unix_address(arena, text, arena_strndup(arena, path, colon ? (size_t)(colon - path) : strlen(path)));
}

static bool host_in(const char *host, const char *const *list)
{
    while (*list && strcasecmp(host, *list) != 0)
        list++;
    return *list != NULL;
}

bool address_reaches(const Address *target, const Address *bind)
{
    static const char *const any[] = {"", "*", "0.0.0.0", "::", NULL};
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1", "ip6-localhost", "ip6-loopback", NULL};
    if (target->kind != bind->kind || target->kind == ADDRESS_UNKNOWN)
        return false;
    if (target->kind == ADDRESS_UNIX)
        return str_equal(target->path, bind->path);
    if (target->port != bind->port)
        return false;
    if (strcasecmp(target->host, bind->host) == 0 || host_in(bind->host, any))
        return true;
    /* localhost is tried as both; two loopback numbers are two addresses. */
    return host_in(target->host, loopback) && host_in(bind->host, loopback) &&
           (strcasecmp(target->host, "localhost") == 0 || strcasecmp(bind->host, "localhost") == 0);
}
