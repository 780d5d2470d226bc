/* SPDX-License-Identifier: Apache-2.0 */
/* Building the tree: one recursive descent over the tokens of a file, which goes down into blocks and across into
 * included files. Both count towards one depth, so that a file that includes itself ends with an error. */
#include "config/nginx-tree.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/nginx-lex.h"
#include "config/nginx-lua.h"
#include "config/text.h"

typedef struct Loader {
    Arena *arena;
    const NginxSource *source; /* NULL: includes are not followed */
    const char *folder;        /* that relative includes are taken from */
    NginxTree *tree;
    size_t bytes;
} Loader;

/* Where the descent is: a file, and the block that directives are put into. */
typedef struct Place {
    Loader *loader;
    NginxFile *file;
    NginxLexer *lexer;
    unsigned depth;
    bool top; /* of the file: it ends at the file's end, not at a } */
} Place;

/* Blocks whose rows look like directives and are none. */
static const char *const data_blocks[] = {"map", "types", "geo", "split_clients", "charset_map"};

static bool is_data_block(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(data_blocks); i++) {
        if (str_equal(data_blocks[i], name))
            return true;
    }
    return false;
}

static void mark_uneditable(NginxFile *file, unsigned line, unsigned column, const char *reason)
{
    if (file->uneditable)
        return;
    file->uneditable = reason;
    file->uneditable_line = line;
    file->uneditable_column = column;
}

static NginxArg read_arg(const Place *place, const NginxToken *token)
{
    Bytes text = nginx_token_text(place->loader->arena, place->file->text, token);
    unsigned column = text_column(place->file->text, token->start);
    if (memchr(text.data, '\0', text.len))
        mark_uneditable(place->file, token->line, column, "a NUL byte is in it");
    return (NginxArg){token->start, token->end, text.data, token->line, column, token->quote};
}

/* The words from `token` on up to the ; or {, which is left in *token. */
static int read_words(const Place *place, NginxToken *token, NginxNode **ret, Err *err)
{
    Arena *arena = place->loader->arena;
    NginxNode *node = arena_new_of(arena, NginxNode);
    NginxArg name = read_arg(place, token);
    *node = (NginxNode){.file = place->file, .name = name.text, .line = name.line, .column = name.column};
    node->start = name.start;
    VEC(NginxArg) args = {0};
    int r;
    while ((r = nginx_lexer_next(place->lexer, token, err)) == 0 && token->kind == NGINX_TOKEN_WORD)
        *vec_push(arena, &args) = read_arg(place, token);
    if (r < 0)
        return r;
    node->args = args.items;
    node->n_args = args.n;
    node->args_end = token->start;
    node->end = token->end;
    node->block = token->kind == NGINX_TOKEN_OPEN;
    *ret = node;
    return 0;
}

static int fail_at(const NginxNode *node, Err *err, const char *message)
{
    return err_at(err, ERR_INVALID, node->file->path, node->line, node->column, "%s: %s", node->name, message);
}

static int load_file(Loader *loader, NginxNode *parent, const NginxNode *include, const char *path, unsigned depth,
                     Err *err);

static int load_pattern(Loader *loader, NginxNode *parent, const NginxNode *include, unsigned depth, Err *err)
{
    const char *pattern = include->args[0].text;
    if (pattern[0] != '/')
        pattern = arena_printf(loader->arena, "%s/%s", loader->folder, pattern);
    if (!strpbrk(pattern, "*?["))
        return load_file(loader, parent, include, pattern, depth, err);
    StringVec paths = {0};
    int r = loader->source->glob(loader->source->ctx, pattern, &paths, err);
    VEC_EACH (path, &paths) {
        if (r < 0)
            break;
        r = load_file(loader, parent, include, *path, depth, err);
    }
    return r;
}

static int read_block(const Place *place, NginxNode *block, Err *err);

/* The body of a block whose { was read; sets node->end. */
static int read_body(const Place *place, NginxNode *node, Err *err)
{
    if (place->depth >= NGINX_MAX_DEPTH)
        return fail_at(node, err, "blocks are nested too deeply");
    if (nginx_is_lua_block(node->name)) {
        node->data = true;
        mark_uneditable(place->file, node->line, node->column,
                        arena_printf(place->loader->arena, "it holds Lua code (%s)", node->name));
        int r = nginx_skip_lua(place->lexer, err);
        node->end = place->lexer->at;
        return r;
    }
    node->data = is_data_block(node->name) || node->parent->data;
    Place inside = *place;
    inside.depth++;
    inside.top = false;
    int r = read_block(&inside, node, err);
    node->end = place->lexer->at;
    return r;
}

static int read_directive(const Place *place, NginxNode *block, NginxToken *token, Err *err)
{
    NginxNode *node;
    int r = read_words(place, token, &node, err);
    if (r < 0)
        return r;
    node->parent = block;
    *vec_push(place->loader->arena, &block->children) = node;
    if (node->block)
        return read_body(place, node, err);
    if (!place->loader->source || block->data || !str_equal(node->name, "include"))
        return 0;
    if (node->n_args != 1)
        return fail_at(node, err, "takes one argument");
    return load_pattern(place->loader, block, node, place->depth + 1, err);
}

static int read_block(const Place *place, NginxNode *block, Err *err)
{
    for (;;) {
        NginxToken token;
        int r = nginx_lexer_next(place->lexer, &token, err);
        if (r < 0)
            return r;
        if (token.kind == NGINX_TOKEN_END && !place->top)
            return fail_at(block, err, "this block is never closed with \"}\"");
        if (token.kind == NGINX_TOKEN_CLOSE && place->top)
            return err_at(err, ERR_INVALID, place->file->path, token.line, text_column(place->file->text, token.start),
                          "unexpected \"}\"");
        if (token.kind != NGINX_TOKEN_WORD)
            return 0;
        r = read_directive(place, block, &token, err);
        if (r < 0)
            return r;
    }
}

static NginxFile *find_file(const NginxTree *tree, const char *resolved)
{
    VEC_EACH (file, &tree->files) {
        if (str_equal((*file)->resolved, resolved))
            return *file;
    }
    return NULL;
}

/* The second inclusion of a file: what is edited in it would have effect in both places. */
static void note_inclusion(Loader *loader, NginxFile *file, const NginxNode *include)
{
    const NginxNode *first = file->included_by;
    char *reason;
    if (!first)
        reason = arena_printf(loader->arena, "it is the main file, and included at %s:%u", include->file->path,
                              include->line);
    else
        reason = arena_printf(loader->arena, "it is included at %s:%u and at %s:%u", first->file->path, first->line,
                              include->file->path, include->line);
    mark_uneditable(file, 1, 1, reason);
}

static int read_source(Loader *loader, const NginxNode *include, const char *path, NginxFile **ret, Err *err)
{
    Bytes text;
    const char *resolved = path;
    int r = loader->source->read(loader->source->ctx, path, &text, &resolved, err);
    if (r < 0)
        return r;
    if (r > 0 && !include)
        return err_set(err, ERR_NOT_FOUND, "%s does not exist", path);
    if (r > 0)
        return err_at(err, ERR_NOT_FOUND, include->file->path, include->line, include->column,
                      "the included file %s does not exist", path);
    NginxFile *file = find_file(loader->tree, resolved);
    if (file) {
        note_inclusion(loader, file, include);
    } else {
        file = arena_new_of(loader->arena, NginxFile);
        *file = (NginxFile){.path = arena_strdup(loader->arena, path), .text = text, .included_by = include};
        file->resolved = arena_strdup(loader->arena, resolved);
        *vec_push(loader->arena, &loader->tree->files) = file;
    }
    *ret = file;
    return 0;
}

static int read_text(Loader *loader, NginxNode *parent, NginxFile *file, unsigned depth, Err *err)
{
    NginxLexer lexer;
    nginx_lexer_init(&lexer, file->text, file->path);
    Place place = {.loader = loader, .file = file, .lexer = &lexer, .depth = depth, .top = true};
    loader->bytes += file->text.len;
    if (depth >= NGINX_MAX_DEPTH || loader->bytes > NGINX_MAX_BYTES)
        return err_set(err, ERR_INVALID, "%s: %s", file->path,
                       depth >= NGINX_MAX_DEPTH ? "includes are nested too deeply: does a file include itself?"
                                                : "the configuration is larger than 64 MiB");
    if (!parent->file)
        parent->file = file;
    return read_block(&place, parent, err);
}

static int load_file(Loader *loader, NginxNode *parent, const NginxNode *include, const char *path, unsigned depth,
                     Err *err)
{
    NginxFile *file = NULL;
    int r = read_source(loader, include, path, &file, err);
    return r < 0 || !file ? r : read_text(loader, parent, file, depth, err);
}

static NginxTree *new_tree(Arena *arena)
{
    NginxTree *tree = arena_new_of(arena, NginxTree);
    tree->root = arena_new_of(arena, NginxNode);
    *tree->root = (NginxNode){.name = "", .block = true};
    return tree;
}

int nginx_tree_load(Arena *arena, const NginxSource *source, const char *main_path, NginxTree **ret, Err *err)
{
    const char *slash = strrchr(main_path, '/');
    const char *folder = slash ? arena_strndup(arena, main_path, (size_t)(slash - main_path)) : ".";
    Loader loader = {.arena = arena, .source = source, .folder = folder, .tree = new_tree(arena)};
    int r = load_file(&loader, loader.tree->root, NULL, main_path, 0, err);
    if (r < 0)
        return r;
    *ret = loader.tree;
    return 0;
}

int nginx_tree_parse(Arena *arena, const char *path, Bytes text, NginxTree **ret, Err *err)
{
    Loader loader = {.arena = arena, .tree = new_tree(arena)};
    NginxFile *file = arena_new_of(arena, NginxFile);
    *file = (NginxFile){.path = path, .resolved = path, .text = text};
    *vec_push(arena, &loader.tree->files) = file;
    int r = read_text(&loader, loader.tree->root, file, 0, err);
    if (r < 0)
        return r;
    *ret = loader.tree;
    return 0;
}

int nginx_walk(NginxNode *from, NginxVisit visit, void *ctx)
{
    if (from->data)
        return 0;
    VEC_EACH (child, &from->children) {
        int r = visit(*child, ctx);
        if (r == 0 && (*child)->block)
            r = nginx_walk(*child, visit, ctx);
        if (r != 0)
            return r;
    }
    return 0;
}

NginxNode *nginx_child(const NginxNode *block, const char *name, const NginxNode *after)
{
    bool passed = after == NULL;
    VEC_EACH (child, &block->children) {
        if (passed && !block->data && str_equal((*child)->name, name))
            return *child;
        passed = passed || *child == after;
    }
    return NULL;
}

const char *nginx_arg(const NginxNode *node, size_t index)
{
    return index < node->n_args ? node->args[index].text : NULL;
}

NginxNode *nginx_enclosing(NginxNode *node, const char *name)
{
    while (node && !(node->block && str_equal(node->name, name)))
        node = node->parent;
    return node;
}

NginxNode *nginx_effective(NginxNode *block, const char *name)
{
    for (; block; block = block->parent) {
        NginxNode *found = block->block ? nginx_child(block, name, NULL) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static void describe(const NginxNode *node, StrBuf *out)
{
    if (!node->parent)
        return;
    describe(node->parent, out);
    if (!node->block || (str_equal(node->name, "http") && out->len == 0))
        return;
    strbuf_printf(out, "%s%s", out->len ? ", " : "", node->name);
    const NginxNode *named = node;
    if (str_equal(node->name, "server")) {
        named = nginx_child(node, "server_name", NULL);
        named = named ? named : nginx_child(node, "listen", NULL);
    }
    for (size_t i = 0; named && i < named->n_args; i++)
        strbuf_printf(out, " %s", named->args[i].text);
}

char *nginx_describe(Arena *arena, const NginxNode *node)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(4096);
    describe(node, &out);
    return out.len ? strbuf_dup(arena, &out) : arena_strdup(arena, "the main context");
}
