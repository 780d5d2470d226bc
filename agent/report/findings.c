/* SPDX-License-Identifier: Apache-2.0 */
#include "report/findings.h"

#include "report/ink.h"
#include "report/secret.h"

static InkColour colour_of(FindingState state)
{
    return state == FINDING_PRESENT ? INK_RED : state == FINDING_UNKNOWN ? INK_YELLOW : INK_GREEN;
}

void findings_show(const FindingVec *findings, bool colour, StrBuf *out)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Ink ink = {out, colour};
    VEC_EACH (finding, findings) {
        ink_printf(&ink, colour_of(finding->state), "%-8s", finding_state_to_string(finding->state));
        ink_printf(&ink, INK_BOLD, "  %s", finding->kind->name);
        ink_printf(&ink, INK_PLAIN, "%s%s%s%s\n", finding->subject ? "  " : "",
                   finding->subject ? finding->subject : "", finding->summary ? ": " : "",
                   finding->summary ? secret_mask_text(arena, finding->summary) : "");
        VEC_EACH (line, &finding->evidence)
            ink_printf(&ink, INK_DIM, "            %s\n", secret_mask_text(arena, *line));
        if (finding->advice && finding->state != FINDING_ABSENT)
            ink_printf(&ink, INK_PLAIN, "          > %s\n", finding->advice);
    }
}

Node *findings_json(Arena *arena, const FindingVec *findings)
{
    Node *seq = node_seq(arena);
    VEC_EACH (finding, findings) {
        Node *map = node_add(arena, seq, node_map(arena));
        node_set_text(arena, map, "finding", finding->kind->name);
        node_set_text(arena, map, "state", finding_state_to_string(finding->state));
        node_set_text(arena, map, "subject", finding->subject);
        node_set_text(arena, map, "summary", secret_mask_text(arena, finding->summary));
        Node *evidence = node_set(arena, map, "evidence", node_seq(arena));
        VEC_EACH (line, &finding->evidence)
            node_add(arena, evidence, node_text(arena, secret_mask_text(arena, *line)));
        node_set_text(arena, map, "advice", finding->state == FINDING_ABSENT ? NULL : finding->advice);
    }
    return seq;
}
