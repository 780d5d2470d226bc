/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are behind a named log. */
#include "stack/log-event.h"

static void add_all(Arena *arena, StringVec *to, const StringVec *from)
{
    VEC_EACH (text, from)
        if (!strings_contain(to, *text))
            *vec_push(arena, to) = *text;
}

/* The logs of the servers that lead to the service; of all servers where none does or none is asked about. */
static void nginx_logs(Arena *arena, LogPlace place, const GunicornFacts *gunicorn, const NginxFacts *nginx,
                       StringVec *ret)
{
    NginxLocationVec locations = {0};
    if (gunicorn)
        nginx_locations_of(nginx, gunicorn, arena, &locations);
    VEC_EACH (location, &locations)
        add_all(arena, ret,
                place == LOG_NGINX_ERROR ? &(*location)->server->error_logs : &(*location)->server->access_logs);
    if (locations.n == 0)
        add_all(arena, ret, place == LOG_NGINX_ERROR ? &nginx->error_logs : &nginx->access_logs);
}

int log_place_paths(Arena *arena, LogPlace place, const GunicornFacts *gunicorn, const NginxFacts *nginx,
                    StringVec *ret, Err *err)
{
    StringVec paths = {0};
    *ret = paths;
    if (place == LOG_JOURNAL)
        return 0;
    if (place == LOG_GUNICORN_ERROR) {
        if (!gunicorn || !gunicorn->error_log)
            return err_set(err, ERR_REFUSED, "%s logs to the journal, not to a file: use the journal",
                           gunicorn ? gunicorn->unit->name : "Gunicorn");
        *vec_push(arena, ret) = gunicorn->error_log;
        return 0;
    }
    if (!nginx)
        return err_set(err, ERR_REFUSED, "there is no nginx here, so there is no %s", log_places[place].name);
    nginx_logs(arena, place, gunicorn, nginx, &paths);
    if (paths.n == 0)
        return err_set(err, ERR_REFUSED, "%s is in no file%s%s", log_places[place].name,
                       nginx->log_notes.n > 0 ? ": " : "", nginx->log_notes.n > 0 ? nginx->log_notes.items[0] : "");
    *ret = paths;
    return 0;
}
