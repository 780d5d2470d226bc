/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's events, turned into a tree. Events rather than libyaml's own documents, because only events still know the
 * anchors, tags and directives that are refused here, and where they stand. */
#include "data/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/utf8.h"

typedef struct Reader {
    Arena *arena;
    Diagnostics *diags;
    const Source *source;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    unsigned nodes;
} Reader;

static Pos pos_of_mark(yaml_mark_t mark)
{
    return (Pos){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

/* The position of a byte, for errors that libyaml reports by offset. */
static Pos pos_of_offset(Bytes text, size_t offset)
{
    Pos pos = {1, 1};
    size_t line_start = 0;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.data[i] == '\n') {
            pos.line++;
            line_start = i + 1;
        }
    }
    pos.column = (unsigned)utf8_count((Bytes){text.data + line_start, offset - line_start}) + 1;
    return pos;
}

static bool fail(Reader *r, const char *message, const char *hint)
{
    diag_error_at(r->diags, r->source, pos_of_mark(r->event.start_mark), "%s", message);
    if (hint)
        diag_hint(r->diags, "%s", hint);
    return false;
}

/* What libyaml says, at its place. */
static bool fail_syntax(Reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    Bytes text = r->source->text;
    bool by_offset = parser->error == YAML_READER_ERROR;
    Pos pos = by_offset ? pos_of_offset(text, parser->problem_offset) : pos_of_mark(parser->problem_mark);
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->context)
        diag_error_at(r->diags, r->source, pos, "%s, %s (line %zu)", problem, parser->context,
                      parser->context_mark.line + 1);
    else
        diag_error_at(r->diags, r->source, pos, "%s", problem);

    size_t index = parser->problem_mark.index;
    char c = by_offset || index >= text.len ? '\0' : text.data[index];
    if (c == '\t')
        diag_hint(r->diags, "indent with blanks, YAML allows no tabs there");
    else if (c && strchr("@`%{}[],*&!|>", c))
        diag_hint(r->diags, "a value that begins with %c must be quoted", c);
    return false;
}

static bool next_event(Reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) ? true : fail_syntax(r);
}

/* Anchor and tag of the events that begin a node; the union's members begin alike, but only by accident. */
static void event_properties(const yaml_event_t *event, const yaml_char_t **ret_anchor, const yaml_char_t **ret_tag)
{
    if (event->type == YAML_SCALAR_EVENT) {
        *ret_anchor = event->data.scalar.anchor;
        *ret_tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        *ret_anchor = event->data.sequence_start.anchor;
        *ret_tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        *ret_anchor = event->data.mapping_start.anchor;
        *ret_tag = event->data.mapping_start.tag;
    }
}

static bool check_event(Reader *r, unsigned depth)
{
    if (r->event.type == YAML_ALIAS_EVENT)
        return fail(r, "aliases (*name) are not accepted", "write the value out");
    const yaml_char_t *anchor = NULL, *tag = NULL;
    event_properties(&r->event, &anchor, &tag);
    if (anchor)
        return fail(r, "anchors (&name) are not accepted", "write the value out where it is needed");
    if (tag)
        return fail(r, "tags (!name) are not accepted",
                    "types come from the key, put the value in quotes if it begins with !");
    if (depth > YAML_MAX_DEPTH)
        return fail(r, "nested too deep", NULL);
    if (++r->nodes > YAML_MAX_NODES)
        return fail(r, "too many values", NULL);
    return true;
}

static Node *new_node(Reader *r, NodeKind kind)
{
    Node *node = arena_new_of(r->arena, Node);
    *node = (Node){.kind = kind, .pos = pos_of_mark(r->event.start_mark), .source = r->source, .text = ""};
    return node;
}

static bool read_scalar(Reader *r, Node **ret)
{
    const char *text = (const char *)r->event.data.scalar.value;
    size_t len = r->event.data.scalar.length;
    if (memchr(text, '\0', len))
        return fail(r, "a value cannot hold a NUL character", NULL);
    Node *node = new_node(r, NODE_SCALAR);
    node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_strndup(r->arena, text, len);
    *ret = node;
    return true;
}

static bool read_node(Reader *r, unsigned depth, Node **ret);

static int compare_keys(const void *a, const void *b)
{
    const Node *x = *(const Node *const *)a, *y = *(const Node *const *)b;
    int by_text = strcmp(x->text, y->text);
    if (by_text)
        return by_text;
    if (x->pos.line != y->pos.line)
        return x->pos.line < y->pos.line ? -1 : 1;
    return (x->pos.column > y->pos.column) - (x->pos.column < y->pos.column);
}

/* All duplicates of a map at once; sorting keeps a map of many keys from costing their square. */
static bool check_duplicates(Reader *r, const Node *map)
{
    size_t n = map->pairs.n;
    CLEANUP(mem_free) const Node **keys = xmalloc(n * sizeof *keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = map->pairs.items[i].key;
    if (n > 1)
        qsort(keys, n, sizeof *keys, compare_keys);
    bool ok = true;
    for (size_t i = 1; i < n; i++) {
        if (strcmp(keys[i]->text, keys[i - 1]->text) == 0) {
            ok = diag_error(r->diags, keys[i], "key \"%s\" is given twice", keys[i]->text);
            diag_hint(r->diags, "first on line %u", keys[i - 1]->pos.line);
        }
    }
    return ok;
}

static bool read_map(Reader *r, unsigned depth, Node **ret)
{
    Node *map = new_node(r, NODE_MAP);
    for (;;) {
        if (!next_event(r))
            return false;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (r->event.type == YAML_MAPPING_START_EVENT || r->event.type == YAML_SEQUENCE_START_EVENT)
            return fail(r, "a key must be a name", "a reference is written in quotes: \"{{ name }}\"");
        Node *key = NULL, *value = NULL;
        if (!read_node(r, depth, &key) || !next_event(r) || !read_node(r, depth, &value))
            return false;
        *vec_push(r->arena, &map->pairs) = (NodePair){key, value};
    }
    *ret = map;
    return check_duplicates(r, map);
}

static bool read_seq(Reader *r, unsigned depth, Node **ret)
{
    Node *seq = new_node(r, NODE_SEQ);
    for (;;) {
        if (!next_event(r))
            return false;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        Node *item = NULL;
        if (!read_node(r, depth, &item))
            return false;
        node_add(r->arena, seq, item);
    }
    *ret = seq;
    return true;
}

/* The node that the current event begins. */
static bool read_node(Reader *r, unsigned depth, Node **ret)
{
    if (!check_event(r, depth))
        return false;
    if (r->event.type == YAML_MAPPING_START_EVENT)
        return read_map(r, depth + 1, ret);
    if (r->event.type == YAML_SEQUENCE_START_EVENT)
        return read_seq(r, depth + 1, ret);
    if (r->event.type == YAML_SCALAR_EVENT)
        return read_scalar(r, ret);
    return fail(r, "not YAML", NULL);
}

static bool read_document(Reader *r, Node **ret)
{
    if (!next_event(r) || !next_event(r)) /* the stream's start, then the document's */
        return false;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return fail(r, "the document is empty", NULL);
    const yaml_event_t *event = &r->event;
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
        return fail(r, "directives (%YAML, %TAG) are not accepted", NULL);
    if (!next_event(r) || !read_node(r, 1, ret) || !next_event(r) || !next_event(r))
        return false;
    if (r->event.type != YAML_STREAM_END_EVENT)
        return fail(r, "a second document is not accepted", "one file holds one document");
    return true;
}

int yaml_parse(Arena *arena, const char *name, Bytes text, Diagnostics *diags, Node **ret_root)
{
    Source *source = arena_new_of(arena, Source);
    *source = (Source){arena_strdup(arena, name), text};
    if (text.len > YAML_MAX_BYTES) {
        diag_error_at(diags, source, (Pos){0}, "larger than %d KiB", YAML_MAX_BYTES >> 10);
        return -ERR_INVALID;
    }
    size_t valid = utf8_valid_len(text);
    if (valid < text.len) {
        diag_error_at(diags, source, pos_of_offset(text, valid), "not UTF-8");
        return -ERR_INVALID;
    }
    Reader reader = {.arena = arena, .diags = diags, .source = source};
    if (!yaml_parser_initialize(&reader.parser)) {
        diag_error_at(diags, source, (Pos){0}, "out of memory");
        return -ERR_INVALID;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.data, text.len);
    Node *root = NULL;
    bool ok = read_document(&reader, &root);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    if (!ok)
        return -ERR_INVALID;
    *ret_root = root;
    return 0;
}

int yaml_read(Arena *arena, int fd, const char *path, Bytes *ret, Err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "%s: not a file", path);
    size_t limit = YAML_MAX_BYTES + 1, len = 0;
    if ((uint64_t)st.st_size < limit)
        limit = (size_t)st.st_size + 1;
    char *data = arena_alloc(arena, limit + 1);
    while (len < limit) {
        ssize_t n = read(fd, data + len, limit - len);
        if (n < 0 && errno != EINTR)
            return err_errno(err, errno, "%s", path);
        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    *ret = (Bytes){data, len};
    return 0;
}

int yaml_load(Arena *arena, const char *path, Diagnostics *diags, Node **ret_root, Err *err)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    Bytes text = BYTES("");
    int r = yaml_read(arena, fd, path, &text, err);
    if (r < 0)
        return r;
    r = yaml_parse(arena, path, text, diags, ret_root);
    return r < 0 ? diagnostics_to_err(diags, err) : 0;
}
