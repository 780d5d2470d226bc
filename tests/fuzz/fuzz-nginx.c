/* SPDX-License-Identifier: Apache-2.0 */
/* No edit gives the same bytes; an edit changes the directive that it is about, and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/nginx-edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_EDITS = 12, MAX_SIZE = 16384 };

/* All words of a tree as one text, so that two can be compared; the node `skip` is left out with all that is in it. */
static void flatten(const NginxNode *node, const NginxNode *skip, const char *instead, StrBuf *out)
{
    if (node == skip && !instead)
        return;
    strbuf_printf(out, "%s\x1f", node->name);
    for (size_t i = 0; i < node->n_args; i++)
        strbuf_printf(out, "%s\x1f", node == skip && i == 0 ? instead : node->args[i].text);
    strbuf_add_str(out, node->block ? "{" : ";");
    VEC_EACH (child, &node->children) {
        flatten(*child, skip, instead, out);
    }
    strbuf_add_str(out, "}");
}

static void check(Arena *arena, NginxTree *tree, const NginxNode *changed, const char *instead, Bytes text)
{
    CLEANUP(strbuf_free) StrBuf expected = STRBUF_INIT(1 << 20), got = STRBUF_INIT(1 << 20);
    NginxTree *again;
    Err err;
    if (nginx_tree_parse(arena, "edited", text, &again, &err) < 0)
        abort();
    flatten(tree->root, changed, instead, &expected);
    flatten(again->root, NULL, NULL, &got);
    if (strcmp(strbuf_str(&expected), strbuf_str(&got)) != 0)
        abort();
}

typedef struct Walk {
    Arena *arena;
    NginxTree *tree;
    unsigned edits;
} Walk;

static void try_insertion(Walk *walk, NginxNode *block)
{
    NginxEdits edits = {.arena = walk->arena};
    Bytes text;
    NginxTree *again;
    Err err;
    const char *args[] = {"two words", "{"};
    if (nginx_edit_insert(&edits, block, NULL, "salve_inserted", args, 2, &err) < 0)
        return;
    if (nginx_edits_apply(&edits, block->file, &text, &err) < 0)
        abort();
    /* Taking the inserted bytes out again gives the old ones. */
    Bytes old = block->file->text;
    size_t same = 0;
    while (same < old.len && old.data[same] == text.data[same])
        same++;
    size_t tail = old.len - same;
    if (memcmp(old.data + same, text.data + text.len - tail, tail) != 0)
        abort();
    if (nginx_tree_parse(walk->arena, "edited", text, &again, &err) < 0)
        abort();
}

static void try_value(Walk *walk, NginxNode *node, const char *value)
{
    NginxEdits edits = {.arena = walk->arena};
    Bytes text;
    Err err;
    if (node->n_args == 0 || nginx_edit_arg(&edits, node, 0, value, &err) < 0)
        return;
    if (nginx_edits_apply(&edits, node->file, &text, &err) < 0)
        abort();
    check(walk->arena, walk->tree, node, value, text);
}

static void try_removal(Walk *walk, NginxNode *node)
{
    NginxEdits edits = {.arena = walk->arena};
    Bytes text;
    Err err;
    if (nginx_edit_remove(&edits, node, &err) < 0)
        return;
    if (nginx_edits_apply(&edits, node->file, &text, &err) < 0)
        abort();
    check(walk->arena, walk->tree, node, NULL, text);
}

static int visit(NginxNode *node, void *ctx)
{
    Walk *walk = ctx;
    if (walk->edits++ > MAX_EDITS)
        return 1;
    try_value(walk, node, "65s");
    try_value(walk, node, "a;\"'\\ #{");
    try_removal(walk, node);
    if (node->block)
        try_insertion(walk, node);
    usec time;
    Err err;
    if (node->n_args > 0 && nginx_parse_time(node->args[0].text, &time, &err) == 0 && time > INT64_MAX)
        abort();
    nginx_describe(walk->arena, node);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Walk walk = {.arena = arena};
    Err err;
    Bytes text;
    if (size > MAX_SIZE || nginx_tree_parse(arena, "input", (Bytes){(const char *)data, size}, &walk.tree, &err) < 0)
        return 0;
    NginxEdits none = {.arena = arena};
    if (nginx_edits_apply(&none, walk.tree->files.items[0], &text, &err) < 0 ||
        !bytes_equal(text, (Bytes){(const char *)data, size}))
        abort();
    try_insertion(&walk, walk.tree->root);
    nginx_walk(walk.tree->root, visit, &walk);
    return 0;
}
