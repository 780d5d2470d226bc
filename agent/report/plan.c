/* SPDX-License-Identifier: Apache-2.0 */
#include "report/plan.h"

#include <string.h>

#include "report/history.h"
#include "report/ink.h"
#include "report/secret.h"

static void add_title(Ink *ink, const Plan *plan)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ink_printf(ink, INK_BOLD, "%s", plan->playbook->name);
    ink_printf(ink, INK_PLAIN, " on %s\n%s\n", plan->target, plan->playbook->summary);
    VEC_EACH (variable, &plan->playbook->scope.variables) {
        if (!value_is_set(&variable->value))
            continue;
        CLEANUP(strbuf_free) StrBuf pair = STRBUF_INIT(10000);
        strbuf_printf(&pair, "%s=%s", variable->name, variable->value.text);
        ink_printf(ink, INK_DIM, "  %s\n", secret_mask_text(arena, strbuf_str(&pair)));
    }
}

void plan_summary(const Plan *plan, StrBuf *out)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    DiffStat stat = diff_stat(&plan->edits);
    if (stat.files)
        strbuf_printf(out, "%zu file%s, +%zu -%zu line%s", stat.files, stat.files == 1 ? "" : "s", stat.added,
                      stat.removed, stat.added + stat.removed == 1 ? "" : "s");
    else
        strbuf_add_str(out, "no file changes");
    const char *separator = "; ";
    VEC_EACH (effect, &plan->effects) {
        if (effect->kind != EFFECT_RELOAD && effect->kind != EFFECT_RESTART)
            continue;
        if (effect->rests)
            strbuf_printf(out, "%s%s is %s and stays so", separator, effect->unit, effect->rests);
        else
            strbuf_printf(out, "%s%s %s%s%s", separator, effect_kind_to_string(effect->kind), effect->unit,
                          effect->sockets.n ? " with " : "", effect->sockets.n ? effect->sockets.items[0] : "");
        separator = ", ";
    }
    usec refused = plan_refused_usec(plan);
    if (refused)
        strbuf_printf(out, "; new connections refused for up to %s", usec_to_string(arena, refused));
    else
        strbuf_add_str(out, "; no connection is refused");
}

static void add_effects(Ink *ink, const Plan *plan)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    size_t number = 0;
    if (plan->effects.n)
        ink_text(ink, INK_BOLD, "\nWhat happens, in this order\n");
    VEC_EACH (effect, &plan->effects) {
        bool validation = effect_is_validation(effect->kind);
        const char *unit = effect->unit && effect->kind != EFFECT_TEST_NGINX ? effect->unit : "";
        ink_printf(ink, INK_PLAIN, "  %zu. %s%s%s", ++number, effect_kind_to_string(effect->kind), *unit ? " " : "",
                   unit);
        if (validation)
            ink_text(ink, INK_DIM, " (on the candidate, before anything is live)");
        else if (effect->because)
            ink_printf(ink, INK_DIM, " (%s)", effect->because);
        if (effect->rests)
            ink_printf(ink, INK_PLAIN, ": it is %s and is not started, unless it runs by then", effect->rests);
        if (effect->sockets.n && !effect->rests)
            ink_printf(ink, INK_YELLOW, " together with %s: %s", effect->sockets.items[0], effect->loses);
        if (effect->refused_usec)
            ink_printf(ink, INK_YELLOW, ": new connections refused for up to %s",
                       usec_to_string(arena, effect->refused_usec));
        ink_text(ink, INK_PLAIN, "\n");
    }
}

static void add_affected(Ink *ink, const Plan *plan)
{
    if (plan->affected.n)
        ink_text(ink, INK_BOLD, "\nAffected besides\n");
    VEC_EACH (affected, &plan->affected) {
        ink_printf(ink, INK_YELLOW, "  %s", affected->unit);
        ink_printf(ink, INK_PLAIN, ": %s%s\n", affected->why,
                   affected->lost      ? " (it does not run)"
                   : affected->allowed ? " (the playbook allows it)"
                                       : " (the playbook does not allow it)");
    }
}

static void add_checks(Ink *ink, const Plan *plan)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (plan->checks.n == 0) {
        ink_text(ink, INK_YELLOW, "\nNothing is verified: the playbook has no checks\n");
        return;
    }
    ink_text(ink, INK_BOLD, "\nVerified");
    if (plan->window_usec)
        ink_printf(ink, INK_PLAIN, " for %s", usec_to_string(arena, plan->window_usec));
    if (plan->window_most_usec > plan->window_usec)
        ink_printf(ink, INK_PLAIN, ", up to %s while undecided", usec_to_string(arena, plan->window_most_usec));
    ink_printf(ink, INK_PLAIN, ", every %s", usec_to_string(arena, plan->interval_usec));
    if (plan->warmup_usec)
        ink_printf(ink, INK_PLAIN, ", after %s of warm-up", usec_to_string(arena, plan->warmup_usec));
    ink_text(ink, INK_PLAIN, "\n");
    VEC_EACH (check, &plan->checks) {
        /* Names that were made from the check's fields begin with its kind. */
        size_t skip = strlen(check->kind->name);
        bool made = str_starts(check->name, check->kind->name) && check->name[skip] == ' ';
        ink_printf(ink, INK_PLAIN, "  %-9s %s\n", check->kind->name, made ? check->name + skip + 1 : check->name);
    }
}

static void add_guards(Ink *ink, const Plan *plan)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (plan->guards.n)
        ink_text(ink, INK_BOLD, "\nGuards, as they stand now\n");
    VEC_EACH (guard, &plan->guards) {
        ink_text(ink, guard->refuses ? INK_RED : INK_DIM, guard->refuses ? "  refuses  " : "  agrees   ");
        ink_printf(ink, INK_PLAIN, "%s: %s\n", guard->name, secret_mask_text(arena, guard->text));
    }
}

static void add_end(Ink *ink, const Plan *plan)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (plan->for_usec == 0)
        return;
    ink_printf(ink, INK_BOLD, "\nTemporary");
    ink_printf(ink, INK_PLAIN, ": undone by itself %s after it was kept, as a run of its own: not before %s\n",
               usec_to_string(arena, plan->for_usec), usec_to_local(arena, clock_realtime() + plan->for_usec));
}

static void add_notes(Ink *ink, const Plan *plan)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (plan->notes.n || plan->pending.n)
        ink_text(ink, INK_BOLD, "\nWorth knowing\n");
    VEC_EACH (pending, &plan->pending) {
        ink_text(ink, INK_YELLOW, "  warning  ");
        ink_printf(ink, INK_PLAIN, "%s was edited and %s loaded by %s (%s); this would activate it\n",
                   pending->path ? pending->path : "its configuration", pending->unsure ? "maybe not" : "never",
                   pending->unit, pending->reason);
    }
    VEC_EACH (note, &plan->notes) {
        bool warning = note->level == NOTE_WARNING;
        ink_text(ink, warning ? INK_YELLOW : INK_DIM, warning ? "  warning  " : "  note     ");
        ink_printf(ink, INK_PLAIN, "%s%s%s\n", note->subject ? note->subject : "", note->subject ? ": " : "",
                   secret_mask_text(arena, note->text));
    }
}

void plan_show(const Plan *plan, const DiffOptions *options, StrBuf *out)
{
    Ink ink = {out, options->colour};
    add_title(&ink, plan);
    if (plan->nothing_to_do) {
        ink_text(&ink, INK_GREEN, "\nNothing to do: the configuration already is as the playbook wants it\n");
        add_notes(&ink, plan);
        return;
    }
    if (plan->edits.n) {
        ink_text(&ink, INK_PLAIN, "\n");
        diff_edits(&plan->edits, options, out);
    }
    add_effects(&ink, plan);
    add_affected(&ink, plan);
    add_checks(&ink, plan);
    add_guards(&ink, plan);
    add_end(&ink, plan);
    add_notes(&ink, plan);
    CLEANUP(strbuf_free) StrBuf summary = STRBUF_INIT(10000);
    plan_summary(plan, &summary);
    ink_text(&ink, INK_BOLD, "\nIn short: ");
    ink_printf(&ink, INK_PLAIN, "%s\n", strbuf_str(&summary));
}

static Node *effects_json(Arena *arena, const Plan *plan)
{
    Node *seq = node_seq(arena);
    VEC_EACH (effect, &plan->effects) {
        Node *map = node_add(arena, seq, node_map(arena));
        node_set_text(arena, map, "effect", effect_kind_to_string(effect->kind));
        node_set_text(arena, map, "unit", effect->unit);
        node_set_text(arena, map, "because", effect->because);
        node_set_bool(arena, map, "on_candidate", effect_is_validation(effect->kind));
        node_set_text(arena, map, "rests", effect->rests);
        Node *sockets = node_set(arena, map, "sockets", node_seq(arena));
        VEC_EACH (socket, &effect->sockets)
            node_add(arena, sockets, node_text(arena, *socket));
        node_set_text(arena, map, "loses", effect->loses);
        node_set_int(arena, map, "refused_usec", (int64_t)effect->refused_usec);
    }
    return seq;
}

static Node *notes_json(Arena *arena, const Plan *plan)
{
    Node *seq = node_seq(arena);
    VEC_EACH (note, &plan->notes) {
        Node *map = node_add(arena, seq, node_map(arena));
        node_set_text(arena, map, "level", note->level == NOTE_WARNING ? "warning" : "note");
        node_set_text(arena, map, "subject", note->subject);
        node_set_text(arena, map, "text", secret_mask_text(arena, note->text));
    }
    return seq;
}

static Node *guards_json(Arena *arena, const Plan *plan)
{
    Node *seq = node_seq(arena);
    VEC_EACH (guard, &plan->guards) {
        Node *map = node_add(arena, seq, node_map(arena));
        node_set_text(arena, map, "guard", guard->name);
        node_set_bool(arena, map, "refuses", guard->refuses);
        node_set_text(arena, map, "text", secret_mask_text(arena, guard->text));
    }
    return seq;
}

static void set_units(Arena *arena, Node *map, const Plan *plan)
{
    Node *affected = node_set(arena, map, "affected", node_seq(arena));
    VEC_EACH (other, &plan->affected) {
        Node *item = node_add(arena, affected, node_map(arena));
        node_set_text(arena, item, "unit", other->unit);
        node_set_text(arena, item, "why", other->why);
        node_set_bool(arena, item, "allowed", other->allowed);
    }
    Node *pending = node_set(arena, map, "pending", node_seq(arena));
    VEC_EACH (edit, &plan->pending) {
        Node *item = node_add(arena, pending, node_map(arena));
        node_set_text(arena, item, "unit", edit->unit);
        node_set_text(arena, item, "path", edit->path);
        node_set_text(arena, item, "reason", edit->reason);
        node_set_bool(arena, item, "unsure", edit->unsure);
    }
    Node *checks = node_set(arena, map, "checks", node_seq(arena));
    VEC_EACH (check, &plan->checks) {
        Node *item = node_add(arena, checks, node_map(arena));
        node_set_text(arena, item, "kind", check->kind->name);
        node_set_text(arena, item, "name", check->name);
    }
}

Node *plan_json(Arena *arena, const Plan *plan)
{
    Node *map = node_map(arena);
    node_set_text(arena, map, "playbook", plan->playbook->name);
    node_set_text(arena, map, "host", plan->target);
    Node *values = node_set(arena, map, "values", node_map(arena));
    VEC_EACH (variable, &plan->playbook->scope.variables) {
        const char *text = value_is_set(&variable->value) ? variable->value.text : NULL;
        bool secret = secret_is_name(variable->name, strlen(variable->name));
        node_set_text(arena, values, variable->name, secret && text ? SECRET_MASK : secret_mask_text(arena, text));
    }
    node_set_bool(arena, map, "nothing_to_do", plan->nothing_to_do);
    node_set(arena, map, "edits", history_files_json(arena, &plan->edits, true));
    node_set(arena, map, "effects", effects_json(arena, plan));
    node_set_int(arena, map, "refused_usec", (int64_t)plan_refused_usec(plan));
    set_units(arena, map, plan);
    node_set(arena, map, "guards", guards_json(arena, plan));
    node_set_int(arena, map, "warmup_usec", (int64_t)plan->warmup_usec);
    node_set_int(arena, map, "window_usec", (int64_t)plan->window_usec);
    node_set_int(arena, map, "window_most_usec", (int64_t)plan->window_most_usec);
    node_set_int(arena, map, "interval_usec", (int64_t)plan->interval_usec);
    node_set_int(arena, map, "for_usec", (int64_t)plan->for_usec);
    node_set(arena, map, "notes", notes_json(arena, plan));
    node_set_text(arena, map, "plan_hash", plan->hash);
    return map;
}
