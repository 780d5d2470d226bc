/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chain.h"

#include "data/node.h"
#include "report/ink.h"

static void add_beginning(Ink *ink, const LedgerCheckpoint *checkpoint)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (checkpoint->seq == 0)
        ink_text(ink, INK_PLAIN, ", from the beginning\n");
    else
        ink_printf(ink, INK_PLAIN, ", from the checkpoint at link %lld (%lld run%s pruned until %s)\n",
                   (long long)checkpoint->seq, (long long)checkpoint->runs, checkpoint->runs == 1 ? "" : "s",
                   usec_to_local(arena, checkpoint->realtime));
}

static void add_broken(Ink *ink, const ChainReport *report)
{
    ink_text(ink, INK_RED, "broken");
    if (report->broken_seq)
        ink_printf(ink, INK_PLAIN, "     link %lld", (long long)report->broken_seq);
    if (report->broken_run)
        ink_printf(ink, INK_PLAIN, "%srun %s", report->broken_seq ? ", " : "     ", report->broken_run);
    ink_printf(ink, INK_PLAIN, ": %s\n", report->broken);
    ink_text(ink, INK_PLAIN,
             "           History was changed by something else than salve, or the disk is damaged: what stands in it\n"
             "           from there on proves nothing. Runs go on; compare with a backup of the state directory.\n");
}

void chain_show(const ChainReport *report, bool colour, StrBuf *out)
{
    Ink ink = {out, colour};
    if (report->broken) {
        add_broken(&ink, report);
        return;
    }
    ink_text(&ink, INK_GREEN, "sound");
    ink_printf(&ink, INK_PLAIN, "      %zu run%s, chain sound", report->runs, report->runs == 1 ? "" : "s");
    add_beginning(&ink, &report->checkpoint);
    if (report->head_seq)
        ink_printf(&ink, INK_PLAIN, "           last link %lld: %s\n", (long long)report->head_seq, report->head_hash);
}

static Node *json_of_link(Arena *arena, int64_t seq, const char *hash)
{
    Node *link = node_map(arena);
    node_set_int(arena, link, "link", seq);
    node_set_text(arena, link, "hash", hash);
    return link;
}

Node *chain_json(Arena *arena, const ChainReport *report)
{
    const LedgerCheckpoint *checkpoint = &report->checkpoint;
    Node *map = node_map(arena);
    node_set_bool(arena, map, "sound", !report->broken);
    node_set_int(arena, map, "runs", (int64_t)report->runs);
    node_set_int(arena, map, "links", (int64_t)report->links);
    Node *from = checkpoint->seq ? json_of_link(arena, checkpoint->seq, checkpoint->hash) : node_null(arena);
    node_set(arena, map, "checkpoint", from);
    if (checkpoint->seq) {
        node_set_int(arena, from, "pruned_runs", checkpoint->runs);
        node_set_text(arena, from, "time", usec_to_rfc3339(arena, checkpoint->realtime));
    }
    node_set(arena, map, "last",
             report->head_seq ? json_of_link(arena, report->head_seq, report->head_hash) : node_null(arena));
    Node *broken = node_set(arena, map, "broken", report->broken ? node_map(arena) : node_null(arena));
    if (!report->broken)
        return map;
    node_set(arena, broken, "link", report->broken_seq ? node_int(arena, report->broken_seq) : node_null(arena));
    node_set(arena, broken, "run", node_text(arena, report->broken_run));
    node_set_text(arena, broken, "what", report->broken);
    return map;
}
