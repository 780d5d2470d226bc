/* SPDX-License-Identifier: Apache-2.0 */
/* Finding servers and locations: by what a person wrote, or by the service that they lead to. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stack/nginx.h"

bool nginx_location_reaches(const NginxLocation *location, const GunicornFacts *gunicorn)
{
    VEC_EACH (target, &location->targets)
        VEC_EACH (bind, &gunicorn->binds)
            if (address_reaches(target, bind))
                return true;
    return false;
}

void nginx_locations_of(const NginxFacts *facts, const GunicornFacts *gunicorn, Arena *arena, NginxLocationVec *ret)
{
    NginxLocationVec found = {0};
    VEC_EACH (location, &facts->locations)
        if (nginx_location_reaches(*location, gunicorn))
            *vec_push(arena, &found) = *location;
    *ret = found;
}

char *nginx_describe_location(Arena *arena, const NginxLocation *location)
{
    return arena_printf(arena, "%s (%s:%u)", nginx_describe(arena, location->node), location->node->file->path,
                        location->node->line);
}

/* A list for messages, in a buffer that cuts what is too long. */
static void list_add(StrBuf *list, const char *text)
{
    strbuf_printf(list, "%s%s", list->len > 0 ? ", " : "", text);
}

static void list_add_place(StrBuf *list, const NginxNode *node)
{
    strbuf_printf(list, "%s%s:%u", list->len > 0 ? " and " : "", node->file->path, node->line);
}

/* --- servers */

static bool has_name(const NginxServer *server, const char *name)
{
    VEC_EACH (own, &server->names)
        if (strcasecmp(*own, name) == 0)
            return true;
    return server->names.n == 0 && name[0] == '\0';
}

/* "443" is any address with that port; "*:80" and "80" in the file are the same. */
static bool has_listen(const NginxServer *server, const char *listen)
{
    bool port_only = listen[strspn(listen, "0123456789")] == '\0';
    VEC_EACH (own, &server->listens) {
        bool port = port_only && own->address.kind == ADDRESS_TCP && strtoul(listen, NULL, 10) == own->address.port;
        if (str_equal(own->text, listen) || port)
            return true;
    }
    return false;
}

static int no_server(const NginxFacts *facts, const char *name, const char *listen, Err *err)
{
    CLEANUP(strbuf_free) StrBuf list = STRBUF_INIT(400);
    VEC_EACH (server, &facts->servers)
        list_add(&list, (*server)->names.n > 0 ? (*server)->names.items[0] : "\"\"");
    return err_set(err, ERR_REFUSED, "nginx has no server \"%s\"%s%s; there are: %s", name, listen ? " on " : "",
                   listen ? listen : "", facts->servers.n > 0 ? strbuf_str(&list) : "none");
}

int nginx_find_server(const NginxFacts *facts, const char *name, const char *listen, const NginxServer **ret, Err *err)
{
    CLEANUP(strbuf_free) StrBuf places = STRBUF_INIT(400);
    const NginxServer *found = NULL;
    size_t n = 0;
    name = name ? name : "";
    VEC_EACH (server, &facts->servers) {
        if (!has_name(*server, name) || (listen && !has_listen(*server, listen)))
            continue;
        list_add_place(&places, (*server)->node);
        found = *server;
        n++;
    }
    if (n == 0)
        return no_server(facts, name, listen, err);
    if (n > 1)
        return err_set(err, ERR_REFUSED, "server \"%s\" is there %zu times: %s; %s", name, n, strbuf_str(&places),
                       listen ? "of two on one address nginx uses the first" : "say which with listen");
    *ret = found;
    return 0;
}

/* --- locations */

/* What was asked for, split as the directive is: "~*\.php$", "~* \.php$". */
static bool location_is(const NginxLocation *location, const char *text)
{
    size_t len = strlen(location->modifier);
    text += strspn(text, " ");
    if (strncmp(text, location->modifier, len) != 0)
        return false;
    text += len + strspn(text + len, " ");
    size_t end = strlen(text);
    while (end > 0 && text[end - 1] == ' ')
        end--;
    return strlen(location->path) == end && strncmp(text, location->path, end) == 0;
}

static int no_location(const NginxFacts *facts, const NginxServer *server, const char *text, Err *err)
{
    CLEANUP(strbuf_free) StrBuf list = STRBUF_INIT(400);
    VEC_EACH (location, &facts->locations)
        if ((*location)->server == server)
            strbuf_printf(&list, "%s%s%s%s", list.len > 0 ? ", " : "", (*location)->modifier,
                          (*location)->modifier[0] ? " " : "", (*location)->path);
    return err_at(err, ERR_REFUSED, server->node->file->path, server->node->line, server->node->column,
                  "this server has no location %s; there are: %s", text, list.len > 0 ? strbuf_str(&list) : "none");
}

int nginx_find_location(const NginxFacts *facts, const NginxServer *server, const char *text, const NginxLocation **ret,
                        Err *err)
{
    CLEANUP(strbuf_free) StrBuf places = STRBUF_INIT(400);
    const NginxLocation *found = NULL;
    size_t n = 0;
    VEC_EACH (location, &facts->locations) {
        if ((*location)->server != server || !str_equal((*location)->node->name, "location") ||
            !location_is(*location, text))
            continue;
        list_add_place(&places, (*location)->node);
        found = *location;
        n++;
    }
    if (n == 0)
        return no_location(facts, server, text, err);
    if (n > 1)
        return err_set(err, ERR_REFUSED, "location %s is there %zu times: %s", text, n, strbuf_str(&places));
    *ret = found;
    return 0;
}
