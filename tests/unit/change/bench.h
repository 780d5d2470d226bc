/* SPDX-License-Identifier: Apache-2.0 */
/* Applies changes, written as in a playbook, to a tree of files. */
#pragma once

#include "../stack/tree.h"
#include "change/change.h"
#include "data/yaml.h"

typedef struct Bench {
    Tree tree;
    ChangeContext context;
    StringVec template_dirs, managed_roots;
    Scope scope;
} Bench;

static inline void bench_look(Bench *bench)
{
    bench->context = (ChangeContext){.arena = bench->tree.arena,
                                     .view = tree_view(&bench->tree),
                                     .template_dirs = &bench->template_dirs,
                                     .managed_roots = &bench->managed_roots,
                                     .variables = &bench->scope};
}

/* In memory that its caller gives, because the context points into it. */
static inline void bench_init(Bench *bench)
{
    *bench = (Bench){.tree = tree_new()};
    *vec_push(bench->tree.arena, &bench->template_dirs) = "/etc/salve/templates";
    *vec_push(bench->tree.arena, &bench->template_dirs) = "/usr/share/salve/templates";
    *vec_push(bench->tree.arena, &bench->managed_roots) = "/etc/nginx";
    *vec_push(bench->tree.arena, &bench->managed_roots) = "/etc/systemd/system";
    bench_look(bench);
}

static inline void bench_free(Bench bench)
{
    tree_free(bench.tree);
}
DEFINE_CLEANUP(Bench, bench_free)

#define BENCH(name)                                                                                                    \
    CLEANUP(bench_free) Bench name;                                                                                    \
    bench_init(&name)

static inline int bench_decode(Bench *bench, const char *yaml, const ChangeKind **ret_kind, void **ret_spec)
{
    Arena *arena = bench->tree.arena;
    Diagnostics diags = diagnostics_new(arena);
    Decoder decoder = {.arena = arena, .diags = &diags, .scope = &bench->scope};
    Node *root = NULL;
    if (yaml_parse(arena, "playbook.yaml", bytes_of(yaml), &diags, &root) < 0)
        return diagnostics_to_err(&diags, &bench->tree.err);
    const NodePair *pair = &root->pairs.items[0];
    const ChangeKind *kind = change_kind_find(pair->key->text);
    assert_non_null(kind);
    StructType type = {.name = kind->name, .fields = kind->fields, .size = kind->spec_size};
    *ret_spec = arena_alloc(arena, kind->spec_size);
    *ret_kind = kind;
    if (!decode_struct(&decoder, &type, pair->value, *ret_spec))
        return diagnostics_to_err(&diags, &bench->tree.err);
    return kind->lint ? kind->lint(*ret_spec, &bench->tree.err) : 0;
}

/* "nginx: {upstream_of: auto, align: {}}" */
static inline int bench_try(Bench *bench, const char *yaml)
{
    const ChangeKind *kind = NULL;
    void *spec = NULL;
    int r = bench_decode(bench, yaml, &kind, &spec);
    return r < 0 ? r : kind->apply(&bench->context, spec, &bench->tree.err);
}

static inline void bench_apply(Bench *bench, const char *yaml)
{
    if (bench_try(bench, yaml) < 0)
        fail_msg("%s: %s", yaml, err_text(&bench->tree.err));
}

static inline const char *bench_text(Bench *bench, const char *path)
{
    Bytes text = BYTES("");
    int r = view_read(bench->context.view, path, &text, NULL, &bench->tree.err);
    if (r != 0)
        fail_msg("%s is not there", path);
    return text.data;
}

static inline size_t bench_edits(Bench *bench)
{
    EditVec edits;
    view_edits(bench->context.view, &edits);
    return edits.n;
}

/* Makes the edits true, forgets notes and wishes, and looks at the tree again. */
static inline void bench_commit(Bench *bench)
{
    EditVec edits;
    view_edits(bench->context.view, &edits);
    VEC_EACH (edit, &edits) {
        const char *path = tree_path(&bench->tree, edit->path);
        if (edit->after.type == FILE_REGULAR)
            tree_write(&bench->tree, edit->path, edit->after.content.data);
        else if (edit->after.type == FILE_SYMLINK)
            tree_link(&bench->tree, edit->path, edit->after.content.data);
        else if (edit->after.type == FILE_DIRECTORY && mkdir(path, 0755) < 0 && errno != EEXIST)
            fail_msg("mkdir %s: %s", path, strerror(errno));
        if (edit->after.type == FILE_REGULAR)
            assert_int_equal(chmod(path, edit->after.mode), 0);
    }
    bench_look(bench);
}

/* The same playbook twice: the second time finds nothing to do. */
static inline void bench_assert_settled(Bench *bench, const char *yaml)
{
    bench_commit(bench);
    bench_apply(bench, yaml);
    assert_int_equal(bench_edits(bench), 0);
}

static inline bool bench_noted(const Bench *bench, NoteLevel level, const char *text)
{
    VEC_EACH (note, &bench->context.notes) {
        if (note->level == level && strstr(note->text, text))
            return true;
    }
    return false;
}

/* "gunicorn.service timeout=60"; "" when there is no such wish. */
static inline const char *bench_wish(const Bench *bench, WishKind kind, const char *name)
{
    VEC_EACH (wish, &bench->context.wishes) {
        if (wish->kind == kind && (!name || str_equal(wish->name, name)))
            return name ? arena_printf(bench->tree.arena, "%s %s=%s", wish->subject, name, wish->value) : wish->subject;
    }
    return "";
}

#define assert_has(text, part)                                                                                         \
    do {                                                                                                               \
        const char *text_ = (text), *part_ = (part);                                                                   \
        if (!strstr(text_, part_))                                                                                     \
            fail_msg("\"%s\" is not in:\n%s", part_, text_);                                                           \
    } while (0)
