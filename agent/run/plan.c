/* SPDX-License-Identifier: Apache-2.0 */
#include "run/plan.h"

#include <string.h>
#include <unistd.h>

#include "data/json.h"
#include "stack/nginx.h"
#include "stack/readers.h"

#define MIN_WINDOW_USEC     (10 * USEC_PER_SEC)
#define REQUEST_MARGIN_USEC (5 * USEC_PER_SEC)

static const char *target_name(Arena *arena, const View *view)
{
    char host[256] = "localhost";
    if (view_root(view)[0])
        return arena_strdup(arena, view_root(view));
    gethostname(host, sizeof host - 1);
    return arena_strdup(arena, host);
}

static bool wishes_restart(const WishVec *wishes)
{
    VEC_EACH (wish, wishes) {
        if (wish->kind == WISH_RESTART)
            return true;
    }
    return false;
}

/* Whoever else reads an edited file, or would be restarted along, must have been named by the playbook. */
static int check_affected(Arena *arena, const Plan *plan, Live *live, Err *err)
{
    VEC_EACH (affected, &plan->affected) {
        const char *state, *type;
        if (affected->lost && live && live_state(live, arena, affected->unit, &state, &type, err) == 0 &&
            str_equal(state, "inactive"))
            continue;
        if (affected->lost)
            return err_set(err, ERR_REFUSED,
                           "%s could not be reached any more after the restart: %s. Write "
                           "RuntimeDirectoryPreserve=restart there, or give it a directory of its own",
                           affected->unit, affected->why);
        if (!affected->allowed)
            return err_set(err, ERR_REFUSED,
                           "%s is affected too: it %s; if that is wanted, name it in the change: also_affects: [%s]",
                           affected->unit, affected->why, affected->unit);
    }
    return 0;
}

/* What the changes are about, for the whole plan to look at. */
typedef struct Concern {
    StringVec units;
    StringVec activated; /* those of them that an effect restarts or reloads */
} Concern;

static void add_once(Arena *arena, StringVec *strings, const char *text)
{
    if (!strings_contain(strings, text))
        *vec_push(arena, strings) = text;
}

/* Whoever is activated, and whoever the changes are about though nothing of it is to be edited. */
static int find_concerned(Arena *arena, const Plan *plan, const ChangeContext *context, Concern *ret, Err *err)
{
    Concern concern = {0};
    VEC_EACH (effect, &plan->effects) {
        if (effect->kind != EFFECT_RESTART && effect->kind != EFFECT_RELOAD)
            continue;
        add_once(arena, &concern.activated, effect->unit);
        add_once(arena, &concern.units, effect->unit);
    }
    for (size_t i = 0; context && i < context->concerned.n; i++)
        add_once(arena, &concern.units, context->concerned.items[i]);
    for (size_t i = 0; context && i < context->wished.n; i++) {
        ReaderVec readers = {0};
        int r = readers_of(plan->view, context->wished.items[i], &readers, err);
        if (r < 0)
            return r;
        VEC_EACH (reader, &readers) {
            if (reader->gunicorn || reader->how == READER_NGINX)
                add_once(arena, &concern.units, reader->unit);
        }
    }
    *ret = concern;
    return 0;
}

static const char *activation_of(Arena *arena, const char *unit)
{
    return arena_printf(arena, "systemctl %s %s", str_equal(unit, NGINX_UNIT) ? "reload" : "restart", unit);
}

/* What no effect of the plan activates. */
static int refuse_unactivated(Arena *arena, const Plan *plan, const Concern *concern, Err *err)
{
    VEC_EACH (item, &plan->pending) {
        if (strings_contain(&concern->activated, item->unit))
            continue;
        return err_set(err, ERR_REFUSED,
                       "%s %s what its files say: %s%s%s; the playbook finds nothing to edit there, so nothing would "
                       "activate it. Look at it, then activate it (%s) or take the edit back, and try again",
                       item->unit, item->unsure ? "may not run" : "does not run", item->path ? item->path : "",
                       item->path ? " " : "", item->reason, activation_of(arena, item->unit));
    }
    return 0;
}

/* Promise 11: what a restart would activate besides our edits is a stranger's change. And what the files say is done
 * only where the processes run it. */
static int check_pending(Arena *arena, Plan *plan, const ChangeContext *context, Live *live, bool accepted, Err *err)
{
    Concern concern;
    int r = find_concerned(arena, plan, context, &concern, err);
    if (r < 0)
        return r;
    VEC_EACH (unit, &concern.units) {
        LivePendingVec pending = {0};
        r = live ? live_pending(live, plan->view, *unit, &pending, err) : 0;
        if (r < 0)
            return r;
        VEC_EACH (item, &pending)
            *vec_push(arena, &plan->pending) = *item;
    }
    if (!accepted || plan->edits.n == 0)
        r = refuse_unactivated(arena, plan, &concern, err);
    if (r < 0 || plan->pending.n == 0 || accepted)
        return r;
    const LivePending *first = &plan->pending.items[0];
    return err_set(err, ERR_REFUSED,
                   "%s holds an edit that it %s: %s%s%s; a restart would activate it. Look at it, then "
                   "activate it by hand, or accept it with --accept-pending",
                   first->unit, first->unsure ? "may not have loaded" : "never loaded", first->path ? first->path : "",
                   first->path ? " " : "", first->reason);
}

/* Of a rollback, only what worked before the run is expected to work again. */
static bool is_expected(const PlaybookCheck *check, const PlanRecord *record)
{
    return !record || (!check->kind->judges_change && strings_contain(record->passed, check->name));
}

/* What the configuration already tells of a check. 1: it is left out, and a note says so. A rollback asks what it can:
 * the way back is never closed; and a run that does nothing asks nobody. */
static int preflight(Arena *arena, Plan *plan, const PlaybookCheck *check, bool lenient, Err *err)
{
    const CheckCommon *common = check->spec;
    const char *why = NULL;
    int r = check->kind->preflight ? check->kind->preflight(plan->view, check->spec, &why, err) : 0;
    if (r == 0 || (r < 0 && !lenient))
        return r < 0 ? err_prefix(err, "check \"%s\"", check->name) : 0;
    if (r == CHECK_ABSENT && !lenient && common->when_absent.choice == CHECK_ABSENT_REFUSE)
        return err_set(err, ERR_REFUSED, "check \"%s\": %s; if it may be left out here, write when_absent: skip",
                       check->name, why);
    *vec_push(arena, &plan->notes) = (Note){.level = r == CHECK_ABSENT ? NOTE_INFO : NOTE_WARNING,
                                            .subject = arena_printf(arena, "check \"%s\"", check->name),
                                            .text = arena_printf(arena, "left out: %s", r < 0 ? err_text(err) : why)};
    return 1;
}

static int plan_checks(Arena *arena, Plan *plan, const PlanRecord *record, Err *err)
{
    const Playbook *playbook = plan->playbook;
    usec window = MIN_WINDOW_USEC, most = 0;
    if (plan->longest_request_usec > 0 && plan->longest_request_usec + REQUEST_MARGIN_USEC > window)
        window = plan->longest_request_usec + REQUEST_MARGIN_USEC;
    VEC_EACH (check, &playbook->checks) {
        if (!is_expected(check, record))
            continue;
        int r = preflight(arena, plan, check, record || plan->nothing_to_do, err);
        if (r < 0)
            return r;
        if (r > 0)
            continue;
        const CheckCommon *common = check->spec;
        *vec_push(arena, &plan->checks) =
            (PlannedCheck){.kind = check->kind,
                           .spec = check->spec,
                           .name = check->name,
                           .baseline = record ? CHECK_MAY_FAIL : (CheckBaseline)common->baseline.choice};
        usec needed = check->kind->window
                          ? check->kind->window(check->spec, playbook->interval_usec, plan->longest_request_usec)
                          : 0;
        if (needed > window)
            window = needed;
        usec open = check->kind->window_most ? check->kind->window_most(check->spec, playbook->interval_usec) : 0;
        if (open > most)
            most = open;
    }
    plan->warmup_usec = playbook->warmup_usec;
    plan->interval_usec = playbook->interval_usec;
    plan->settle_usec = playbook->settle_usec;
    plan->window_usec = playbook->window_usec > 0 ? playbook->window_usec : window;
    plan->window_most_usec = playbook->window_usec == 0 && most > window ? most : plan->window_usec;
    return 0;
}

/* What quarantine remembers: the same target, edits and checks give the same hash. The words of the checks are in it,
 * and the values that they refer to; comments of the playbook are not. */
static const char *plan_hash(Arena *arena, const Plan *plan)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(64 << 20);
    strbuf_printf(&text, "%s\n%s\n", plan->target, plan->playbook->name);
    VEC_EACH (edit, &plan->edits) {
        Hash before, after;
        file_state_hash(&edit->before, &before);
        file_state_hash(&edit->after, &after);
        strbuf_printf(&text, "%s %s %s\n", edit->path, hash_to_hex(arena, before), hash_to_hex(arena, after));
    }
    VEC_EACH (wish, &plan->wishes)
        strbuf_printf(&text, "%u %s %s %s\n", (unsigned)wish->kind, wish->subject, wish->name ? wish->name : "",
                      wish->value ? wish->value : "");
    VEC_EACH (check, &plan->checks)
        strbuf_printf(&text, "%s %s\n", check->kind->name, check->name);
    if (plan->playbook->verify)
        json_print(plan->playbook->verify, JSON_COMPACT | JSON_SORT_KEYS, &text);
    json_print(playbook_values(arena, plan->playbook), JSON_COMPACT, &text);
    return hash_to_hex(arena, hash_of(strbuf_str(&text), text.len));
}

/* A unit that rests stays at rest: the plan says so, and the run looks again. */
static int note_resting(Arena *arena, Plan *plan, Live *live, Err *err)
{
    VEC_EACH (effect, &plan->effects) {
        const char *state, *type;
        if (!effect->if_running || !live)
            continue;
        int r = live_state(live, arena, effect->unit, &state, &type, err);
        if (r < 0)
            return r;
        if (!effect_rests(state, type))
            continue;
        effect->rests = state;
        effect->refused_usec = 0;
    }
    return 0;
}

/* What the candidate cannot be asked before it is live, because it would not be asked as the service runs it. */
static void note_not_staged(Arena *arena, Plan *plan)
{
    VEC_EACH (effect, &plan->effects) {
        const GunicornFacts *facts;
        Err ignored; /* then the check itself says what is wrong */
        if (effect->kind != EFFECT_CHECK_GUNICORN || gunicorn_load(plan->view, effect->unit, &facts, &ignored) != 0 ||
            facts->wrapper == GUNICORN_PLAIN)
            continue;
        *vec_push(arena, &plan->notes) =
            (Note){.level = NOTE_WARNING,
                   .subject = effect->unit,
                   .text = arena_printf(arena,
                                        "not staged: Gunicorn is started by a wrapper (%s), so its configuration is "
                                        "judged only when it starts",
                                        facts->wrapper_reason)};
    }
}

/* `context`: of the changes; NULL for a plan that undoes a run. */
static int finish(Arena *arena, Plan *plan, const PlanRecord *record, const ChangeContext *context, Live *live,
                  const PlanOptions *options, Err *err)
{
    view_edits(plan->view, &plan->edits);
    int r = effects_derive(arena, plan->view, &plan->edits, &plan->wishes, &plan->effects, &plan->affected, err);
    if (r >= 0)
        r = check_affected(arena, plan, live, err);
    if (r >= 0)
        r = check_pending(arena, plan, context, live, options->accept_pending, err);
    if (r >= 0)
        r = note_resting(arena, plan, live, err);
    if (r < 0)
        return r;
    note_not_staged(arena, plan);
    plan->only_restarts = plan->edits.n == 0 && wishes_restart(&plan->wishes);
    plan->nothing_to_do = plan->edits.n == 0 && !plan->only_restarts;
    plan->target = target_name(arena, plan->view);
    r = plan_checks(arena, plan, record, err);
    if (r < 0)
        return r;
    plan->hash = plan_hash(arena, plan);
    return 0;
}

int plan_make(Arena *arena, const Playbook *playbook, View *view, Live *live, const PlanOptions *options, Plan **ret,
              Err *err)
{
    Plan *plan = arena_new_of(arena, Plan);
    ChangeContext context = {
        .arena = arena,
        .view = view,
        .live = live,
        .template_dirs = options->template_dirs,
        .managed_roots = options->managed_roots,
        .playbook = playbook->source ? playbook->source->name : NULL,
        .variables = &playbook->scope,
    };
    *plan = (Plan){.playbook = playbook, .origin = "manual", .view = view};
    VEC_EACH (change, &playbook->changes) {
        int r = change->kind->apply(&context, change->spec, err);
        if (r < 0)
            return err_prefix(err, "change \"%s\"", change->kind->name);
    }
    plan->notes = context.notes;
    plan->wishes = context.wishes;
    plan->longest_request_usec = context.longest_request_usec;
    int r = finish(arena, plan, NULL, &context, live, options, err);
    if (r < 0)
        return r;
    *ret = plan;
    return 0;
}

/* Wishes the recorded `before` of an edit. A directory that holds what others put there since stays. */
static int put_back(Arena *arena, Plan *plan, const Edit *edit, Err *err)
{
    const FileState *now;
    StringVec names = {0};
    int r = view_get(plan->view, edit->path, &now, err);
    if (r < 0)
        return r;
    if (edit->before.type == FILE_ABSENT && now->type == FILE_DIRECTORY) {
        r = view_list(plan->view, edit->path, &names, err);
        if (r < 0 || names.n > 0)
            return r;
    } else if (!file_state_equal(now, &edit->after) && !file_state_equal(now, &edit->before)) {
        *vec_push(arena, &plan->notes) =
            (Note){.level = NOTE_WARNING,
                   .subject = edit->path,
                   .text = "changed since that run; what is there now is kept in this run's snapshot, and comes back "
                           "with its rollback"};
    }
    return view_put(plan->view, edit->path, &edit->before, err);
}

int plan_make_reverse(Arena *arena, const Playbook *playbook, const PlanRecord *record, View *view, Live *live,
                      const PlanOptions *options, Plan **ret, Err *err)
{
    Plan *plan = arena_new_of(arena, Plan);
    *plan = (Plan){
        .playbook = playbook,
        .origin = record->origin,
        .undoes = record->undoes,
        .view = view,
    };
    for (size_t i = record->edits->n; i-- > 0;) {
        int r = put_back(arena, plan, &record->edits->items[i], err);
        if (r < 0)
            return r;
    }
    int r = finish(arena, plan, record, NULL, live, options, err);
    if (r < 0)
        return r;
    *ret = plan;
    return 0;
}

usec plan_refused_usec(const Plan *plan)
{
    usec longest = 0;
    VEC_EACH (effect, &plan->effects) {
        if (effect->refused_usec > longest)
            longest = effect->refused_usec;
    }
    return longest;
}
