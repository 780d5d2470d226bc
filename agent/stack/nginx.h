/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of nginx from the files of a view: servers, locations, upstreams, effective timeouts, logs.
 *
 * Everything points into one tree (config/nginx-tree.h), so that an edit can be made where a fact was found. Results
 * live in the view's arena; load again after an edit. */
#pragma once

#include "config/nginx-tree.h"
#include "stack/address.h"
#include "stack/gunicorn.h"

typedef struct NginxServer NginxServer;
typedef struct NginxLocation NginxLocation;

typedef struct NginxTime {
    usec value;            /* USEC_PER_MIN by default */
    const NginxNode *node; /* the directive that sets it; NULL: nginx's default */
} NginxTime;

/* A location, or the `if` or limit_except block in it, that is: every block that can hold proxy_pass. */
struct NginxLocation {
    const NginxServer *server;
    NginxNode *node;
    const char *modifier; /* "", "=", "~", "~*", "^~"; "@" is part of path */
    const char *path;
    const NginxNode *proxy_pass; /* NULL: it does not proxy */
    const char *upstream;        /* the name of the upstream block that it goes to; NULL: none */
    AddressVec targets;          /* where it goes to; ADDRESS_UNKNOWN for variables */
    NginxTime read_timeout, send_timeout, connect_timeout;
};

typedef struct NginxListen {
    const char *text;
    Address address; /* host "" for every address; port 80 by default */
    bool ssl, default_server;
    const NginxNode *node;
} NginxListen;

struct NginxServer {
    NginxNode *node;
    StringVec names;          /* server_name arguments; empty: none */
    VEC(NginxListen) listens; /* never empty: nginx's own default is *:80 */
    StringVec error_logs;     /* files; effective at the server */
    StringVec access_logs;    /* likewise, and those of its locations */
};

typedef struct NginxUpstream {
    const char *name;
    const NginxNode *node;
    AddressVec servers;
} NginxUpstream;

typedef VEC(const NginxLocation *) NginxLocationVec;

typedef struct NginxFacts {
    StringVec command;     /* the program of nginx.service (else "nginx") with the -c and -p that it is given */
    const char *main_path; /* -c of nginx.service's ExecStart=, else /etc/nginx/nginx.conf */
    const char *prefix;    /* -p, else /usr/share/nginx; relative log paths start there */
    NginxTree *tree;
    VEC(NginxServer *) servers;
    NginxLocationVec locations; /* of all servers, in order, nested ones behind their parent */
    VEC(NginxUpstream) upstreams;
    StringVec error_logs;  /* of all levels, each once; with what follows from nginx's compiled default */
    StringVec access_logs; /* likewise */
    StringVec log_notes;   /* logs that are no file: "error_log syslog:... (/etc/nginx/nginx.conf:3)" */
    StringVec files;       /* all files of the configuration: as included and, where that differs, resolved */
    StringVec conflicts;   /* "server name example.org on *:80 is in a:3 and b:9: nginx uses the first" */
} NginxFacts;

#define NGINX_UNIT "nginx.service"

enum { NGINX_ABSENT = 1 };

/* NGINX_ABSENT: the view has no main configuration file. Errors are those of the configuration, with position. */
int nginx_load(View *view, const NginxFacts **ret, Err *err);

/* Locations whose proxy_pass reaches a bind address of the service. */
void nginx_locations_of(const NginxFacts *facts, const GunicornFacts *gunicorn, Arena *arena, NginxLocationVec *ret);
/* Whether the server has such a location, or the location's targets are of that service. */
bool nginx_location_reaches(const NginxLocation *location, const GunicornFacts *gunicorn);

/* The server with that server_name and, where given (not NULL), that listen ("443", "127.0.0.1:80"). ERR_REFUSED with
 * the positions where several fit, ERR_REFUSED with the names there are where none does. name NULL or "" fits a server
 * without names; "_" is a name like any other. */
int nginx_find_server(const NginxFacts *facts, const char *name, const char *listen, const NginxServer **ret, Err *err);
/* The location by what stands behind the word: "/", "= /health/", "~ \.php$", "@app". ERR_REFUSED likewise. */
int nginx_find_location(const NginxFacts *facts, const NginxServer *server, const char *location,
                        const NginxLocation **ret, Err *err);

/* "server example.org, location / (/etc/nginx/sites-enabled/x:12)" */
char *nginx_describe_location(Arena *arena, const NginxLocation *location);
