/* SPDX-License-Identifier: Apache-2.0 */
/* The change `nginx`: timeouts of a named location, or of all locations that lead to a Gunicorn service.
 *
 * `set` gives a directive exactly this value in the block that is named, or in every location that proxies to the unit.
 * `align` raises proxy_read_timeout to at least the unit's Gunicorn timeout + margin, as the view has it by then: so
 * the order of changes in the playbook counts. A value is set in the block where it has effect: where a location
 * inherits from its server what other locations use too, the location gets a directive of its own. */
#include <inttypes.h>
#include <string.h>

#include "change/kinds.h"
#include "config/nginx-edit.h"
#include "stack/gunicorn.h"
#include "stack/nginx.h"

typedef struct Timeouts {
    Value proxy_read_timeout, proxy_send_timeout, proxy_connect_timeout;
} Timeouts;

typedef struct Align {
    Value margin;
} Align;

typedef struct NginxSpec {
    Value upstream_of, server, listen, location, when_absent;
    Timeouts *set, *at_least;
    Align *align;
    ValueVec also_affects;
} NginxSpec;

static const char *const absent_choices[] = {"refuse", "skip", NULL};
enum { ABSENT_REFUSE, ABSENT_SKIP };

static const Field timeout_fields[] = {
    FIELD_DURATION(Timeouts, proxy_read_timeout, .min = "1ms", .max = "24h",
                   .help = "Longest wait between two reads from the upstream: 504 after it."),
    FIELD_DURATION(Timeouts, proxy_send_timeout, .min = "1ms", .max = "24h", .help = "Between two writes to it."),
    FIELD_DURATION(Timeouts, proxy_connect_timeout, .min = "1ms", .max = "75s",
                   .help = "Until it accepts a connection; more than 75s has no effect."),
    FIELDS_END,
};
static const StructType set_type = {
    .name = "set", .help = "Exactly this.", .fields = timeout_fields, .size = sizeof(Timeouts)};
static const StructType at_least_type = {
    .name = "at_least", .help = "Raises what is lower.", .fields = timeout_fields, .size = sizeof(Timeouts)};

static const Field align_fields[] = {
    FIELD_DURATION(Align, margin, .default_text = "5s", .min = "0s", .max = "10min",
                   .help = "How much longer nginx waits than Gunicorn."),
    FIELDS_END,
};
static const StructType align_type = {
    .name = "align",
    .help = "proxy_read_timeout at least the Gunicorn timeout + margin.",
    .fields = align_fields,
    .size = sizeof(Align),
};

static const Field nginx_fields[] = {
    FIELD_UNIT(NginxSpec, upstream_of, .allow_auto = true,
               .help = "The Gunicorn service: all locations that proxy to it."),
    FIELD_WORD(NginxSpec, server, .help = "Instead of upstream_of: the server_name of the server."),
    FIELD_WORD(NginxSpec, listen, .help = "Which of several servers of that name: its port or address."),
    FIELD_SCALAR(NginxSpec, location, .help = "The location as written behind the word: \"/\", \"= /health/\"."),
    FIELD_ENUM(NginxSpec, when_absent, absent_choices, .default_text = "refuse",
               .help = "No nginx on this host: refuse, or skip and say so."),
    FIELD_STRUCT(NginxSpec, set, &set_type, .help = "Directives to set to exactly this."),
    FIELD_STRUCT(NginxSpec, at_least, &at_least_type, .help = "Directives to raise to at least this; never lowers."),
    FIELD_STRUCT(NginxSpec, align, &align_type, .help = "Keep nginx patient enough for Gunicorn; with upstream_of."),
    FIELD_ALSO_AFFECTS(NginxSpec),
    FIELDS_END,
};

static const struct {
    const char *name;
    size_t wish, have; /* in Timeouts, in NginxLocation */
} rows[] = {
    {"proxy_read_timeout", offsetof(Timeouts, proxy_read_timeout), offsetof(NginxLocation, read_timeout)},
    {"proxy_send_timeout", offsetof(Timeouts, proxy_send_timeout), offsetof(NginxLocation, send_timeout)},
    {"proxy_connect_timeout", offsetof(Timeouts, proxy_connect_timeout), offsetof(NginxLocation, connect_timeout)},
};

typedef struct Job {
    ChangeContext *context;
    const NginxSpec *spec;
    const NginxFacts *facts;
    const GunicornFacts *gunicorn; /* NULL without upstream_of */
    NginxLocationVec locations;
    NginxNodeVec blocks; /* location blocks that were looked at */
    NginxEdits edits;
} Job;

/* What nginx must wait at the least for the service. */
static int aligned_timeout(Job *job, usec *ret, Err *err)
{
    uint64_t seconds;
    int r = gunicorn_int(job->gunicorn, "timeout", &seconds, err);
    if (r < 0)
        return r;
    if (seconds == 0)
        return err_set(err, ERR_REFUSED,
                       "%s has no timeout (0), so nginx cannot be aligned with it: give proxy_read_timeout a value "
                       "with `set`",
                       job->gunicorn->unit->name);
    *ret = seconds * USEC_PER_SEC + job->spec->align->margin.duration;
    return 0;
}

/* The value of one directive that fulfils all wishes: `set`, then raised by `at_least` and `align`. 1: nobody wishes
 * anything. */
static int wished_time(Job *job, size_t row, usec have, usec *ret, Err *err)
{
    const NginxSpec *spec = job->spec;
    const Value *set = spec->set ? (const Value *)((const char *)spec->set + rows[row].wish) : NULL;
    const Value *least = spec->at_least ? (const Value *)((const char *)spec->at_least + rows[row].wish) : NULL;
    bool is_set = set && value_is_set(set), is_raised = least && value_is_set(least);
    bool is_aligned = spec->align && rows[row].wish == offsetof(Timeouts, proxy_read_timeout);
    usec wished = is_set ? set->duration : have, aligned = 0;
    int r = is_aligned ? aligned_timeout(job, &aligned, err) : 0;
    if (r < 0)
        return r;
    if (is_raised && wished < least->duration)
        wished = least->duration;
    *ret = wished < aligned ? aligned : wished;
    return is_set || is_raised || is_aligned ? 0 : 1;
}

static int set_directive(Job *job, const NginxLocation *location, NginxNode *block, size_t row, Err *err)
{
    Arena *arena = job->context->arena;
    const char *where = arena_printf(arena, "%s (%s:%u)", nginx_describe(arena, block), block->file->path, block->line);
    const NginxTime *have = (const NginxTime *)((const char *)location + rows[row].have);
    const char *name = rows[row].name, *now = usec_to_string(arena, have->value), *text;
    usec wished;
    int r = wished_time(job, row, have->value, &wished, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (have->value == wished) {
        change_note(job->context, NOTE_INFO, where, "%s stays: it is %s", name, now);
        return 0;
    }
    /* Beside proxy_pass, where that stands in the block itself and not in a file that the block includes. */
    const NginxNode *pass = location->proxy_pass;
    bool beside = pass && pass->file == block->file && block == location->node;
    r = nginx_format_time(arena, wished, &text, err);
    if (r >= 0)
        r = nginx_edit_set(&job->edits, block, beside ? pass : NULL, name, text, err);
    if (r < 0)
        return err_prefix(err, "%s", where);
    change_note(job->context, NOTE_INFO, where, "%s becomes %s; it is %s%s", name, text, now,
                have->node ? "" : ", nginx's default");
    return 0;
}

/* The timeouts cannot stand in `if` and limit_except, which take those of the location around them
 * (ngx_http_proxy_module.c). Each location is edited once. */
static int set_location(Job *job, const NginxLocation *location, Err *err)
{
    NginxNode *block = nginx_enclosing(location->node, "location");
    if (!block)
        return err_at(err, ERR_REFUSED, location->node->file->path, location->node->line, location->node->column,
                      "%s is in no location, where its timeouts could be set",
                      nginx_describe(job->context->arena, location->node));
    VEC_EACH (done, &job->blocks) {
        if (*done == block)
            return 0;
    }
    *vec_push(job->context->arena, &job->blocks) = block;
    int r = 0;
    for (size_t row = 0; r >= 0 && row < ARRAY_LEN(rows); row++)
        r = set_directive(job, location, block, row, err);
    return r;
}

static int find_by_name(Job *job, Err *err)
{
    const NginxServer *server;
    const NginxLocation *location;
    const NginxSpec *spec = job->spec;
    int r = nginx_find_server(job->facts, spec->server.text, spec->listen.text, &server, err);
    if (r >= 0)
        r = nginx_find_location(job->facts, server, value_is_set(&spec->location) ? spec->location.text : "/",
                                &location, err);
    if (r < 0)
        return r;
    if (!location->proxy_pass)
        return err_set(err, ERR_REFUSED, "%s proxies to nothing: a proxy timeout would have no effect there",
                       nginx_describe_location(job->context->arena, location));
    *vec_push(job->context->arena, &job->locations) = location;
    return 0;
}

static int find_by_unit(Job *job, Err *err)
{
    const char *unit;
    View *view = job->context->view;
    int r = gunicorn_resolve_unit(view, job->spec->upstream_of.text, &unit, err);
    if (r >= 0)
        r = gunicorn_load(view, unit, &job->gunicorn, err);
    if (r < 0)
        return r;
    nginx_locations_of(job->facts, job->gunicorn, job->context->arena, &job->locations);
    if (job->locations.n > 0)
        return 0;
    return err_set(err, ERR_REFUSED,
                   "no location of nginx proxies to %s, which listens on %s; name the server and location instead",
                   unit, job->gunicorn->binds.n > 0 ? job->gunicorn->binds.items[0].text : "nothing that is known");
}

static int write_files(Job *job, Err *err)
{
    VEC_EACH (edited, &job->edits.files) {
        Bytes text;
        int r = nginx_edits_apply(&job->edits, edited->file, &text, err);
        if (r >= 0)
            r = view_write(job->context->view, edited->file->resolved, text, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int lint_nginx(const void *data, Err *err)
{
    const NginxSpec *spec = data;
    bool by_unit = value_is_set(&spec->upstream_of);
    if (by_unit == value_is_set(&spec->server))
        return err_set(err, ERR_INVALID, "say either upstream_of (a unit) or server (a name)");
    if (by_unit && (value_is_set(&spec->location) || value_is_set(&spec->listen)))
        return err_set(err, ERR_INVALID, "location and listen go with server");
    if (spec->align && !by_unit)
        return err_set(err, ERR_INVALID, "align goes with upstream_of");
    if (!spec->align && !spec->set && !spec->at_least)
        return err_set(err, ERR_INVALID, "nothing to do: give set, at_least or align");
    return 0;
}

/* Without a Gunicorn in the change, what nginx grants is how long a request may take. */
static void tell_longest(const Job *job)
{
    const Timeouts *wishes[] = {job->spec->set, job->spec->at_least};
    for (size_t i = 0; i < ARRAY_LEN(wishes) && !job->gunicorn; i++) {
        bool longer = wishes[i] && value_is_set(&wishes[i]->proxy_read_timeout) &&
                      wishes[i]->proxy_read_timeout.duration > job->context->longest_request_usec;
        if (longer)
            job->context->longest_request_usec = wishes[i]->proxy_read_timeout.duration;
    }
}

/* Waiting longer than Gunicorn helps only where Gunicorn ends the request. */
static void tell_alignment(const Job *job)
{
    if (job->spec->align && !job->gunicorn->timeout_limits_requests)
        change_note(job->context, NOTE_WARNING, job->gunicorn->unit->name,
                    "its timeout limits no request (%s): what takes longer still ends with nginx's 504",
                    job->gunicorn->timeout_reason);
}

static int apply_nginx(ChangeContext *context, const void *data, Err *err)
{
    Job job = {.context = context, .spec = data, .edits = {.arena = context->arena}};
    int r = nginx_load(context->view, &job.facts, err);
    if (r == NGINX_ABSENT && job.spec->when_absent.choice == ABSENT_SKIP) {
        change_note(context, NOTE_WARNING, NGINX_UNIT, "there is no nginx here: its timeouts are not changed");
        return 0;
    }
    if (r == NGINX_ABSENT)
        return err_set(err, ERR_REFUSED, "there is no nginx on this host (no main configuration file)");
    if (r < 0) {
        err->kind = ERR_REFUSED; /* the host's configuration is at fault, not the playbook */
        return -ERR_REFUSED;
    }
    change_concerns(context, NGINX_UNIT);
    change_wish_also(context, &job.spec->also_affects);
    r = value_is_set(&job.spec->upstream_of) ? find_by_unit(&job, err) : find_by_name(&job, err);
    for (size_t i = 0; r >= 0 && i < job.locations.n; i++)
        r = set_location(&job, job.locations.items[i], err);
    if (r >= 0) {
        tell_longest(&job);
        tell_alignment(&job);
    }
    return r < 0 ? r : write_files(&job, err);
}

const ChangeKind change_nginx = {
    .name = "nginx",
    .help = "Timeouts of nginx where it proxies to Gunicorn.",
    .fields = nginx_fields,
    .spec_size = sizeof(NginxSpec),
    .lint = lint_nginx,
    .apply = apply_nginx,
};
