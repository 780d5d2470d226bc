/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of an edit go.
 *
 * An insertion looks at the line of the directive that it follows. When that directive stands alone on its line (a
 * comment may follow it), the new one gets a line of its own with the same indentation and line ending; when others
 * share the line, so does the new one. A block without directives has no neighbour to look at: there the line of the
 * closing brace says where, and comments or the enclosing blocks say how deep.
 *
 * A removal takes the line ending before the directive with it, not the one behind it, so that an insertion behind a
 * removed directive still has its place. */
#include "config/nginx-edit.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/escape.h"
#include "config/nginx-lex.h"
#include "config/text.h"

static int refuse(const NginxFile *file, unsigned line, unsigned column, Err *err, const char *what)
{
    return err_at(err, ERR_REFUSED, file->path, line, column, "%s", what);
}

static int check_editable(const NginxFile *file, const NginxNode *node, Err *err)
{
    if (file->uneditable)
        return err_at(err, ERR_REFUSED, file->path, file->uneditable_line, file->uneditable_column,
                      "this file cannot be edited surely: %s", file->uneditable);
    if (node->parent && node->parent->data)
        return refuse(file, node->line, node->column, err, "this is data, not a directive");
    return 0;
}

static SpliceVec *splices_of(NginxEdits *edits, const NginxFile *file)
{
    VEC_EACH (entry, &edits->files) {
        if (entry->file == file)
            return &entry->splices;
    }
    NginxFileEdits *entry = vec_push(edits->arena, &edits->files);
    entry->file = file;
    return &entry->splices;
}

static void add(NginxEdits *edits, const NginxFile *file, size_t start, size_t end, const StrBuf *with)
{
    *vec_push(edits->arena, splices_of(edits, file)) = (Splice){start, end, strbuf_bytes(edits->arena, with)};
}

/* A value that takes the place of a quoted one is quoted: behind a closing quote nginx takes `)` without a blank. */
static int escape_like(StrBuf *out, const NginxArg *arg, const char *value, Err *err)
{
    int r = escape_nginx(out, value, err);
    if (r < 0 || !arg->quote || strbuf_str(out)[0] == '"')
        return r;
    strbuf_clear(out);
    strbuf_printf(out, "%c%s%c", arg->quote, value, arg->quote);
    return 0;
}

int nginx_edit_arg(NginxEdits *edits, const NginxNode *node, size_t index, const char *value, Err *err)
{
    if (index >= node->n_args)
        return err_at(err, ERR_REFUSED, node->file->path, node->line, node->column, "%s has no argument %zu",
                      node->name, index + 1);
    const NginxArg *arg = &node->args[index];
    if (str_equal(arg->text, value))
        return 0;
    int r = check_editable(node->file, node, err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(NGINX_TOKEN_MAX), spaced = STRBUF_INIT(NGINX_TOKEN_MAX + 1);
    if (r == 0)
        r = escape_like(&text, arg, value, err);
    /* A `)` may be glued to the quote before it; nothing else may. */
    bool glued = arg->start > 0 && strchr("\"'", node->file->text.data[arg->start - 1]);
    strbuf_printf(&spaced, "%s%s", glued ? " " : "", strbuf_str(&text));
    if (r == 0)
        add(edits, node->file, arg->start, arg->end, &spaced);
    return r;
}

static bool is_blank(Bytes text, size_t start, size_t end)
{
    for (; start < end; start++) {
        if (text.data[start] != ' ' && text.data[start] != '\t')
            return false;
    }
    return true;
}

static size_t skip_blanks(Bytes text, size_t at)
{
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
        at++;
    return at;
}

/* The blanks at the start of the line that holds `at`. */
static Bytes indentation(Bytes text, size_t at)
{
    size_t start = text_line_start(text, at);
    size_t end = skip_blanks(text, start);
    return (Bytes){text.data + start, (end < at ? end : at) - start};
}

/* The line ending in use around `at`. */
static const char *line_ending(Bytes text, size_t at)
{
    size_t end = text_line_end(text, at);
    if (end == text.len)
        return text_line_ending(text);
    return text.data[end] == '\r' ? "\r\n" : "\n";
}

static int format_directive(StrBuf *out, const char *name, const char *const *args, size_t n_args, Err *err)
{
    int r = escape_nginx(out, name, err);
    for (size_t i = 0; r == 0 && i < n_args; i++) {
        strbuf_add_char(out, ' ');
        r = escape_nginx(out, args[i], err);
    }
    strbuf_add_char(out, ';');
    return r;
}

/* Alone on its lines: blanks before, blanks and at most a comment behind. */
static bool has_own_line(Bytes text, const NginxNode *node)
{
    size_t behind = skip_blanks(text, node->end), line_end = text_line_end(text, node->end);
    return is_blank(text, text_line_start(text, node->start), node->start) &&
           (behind >= line_end || text.data[behind] == '#');
}

static size_t insert_behind(const NginxNode *after, const StrBuf *directive, StrBuf *out)
{
    Bytes text = after->file->text;
    if (!has_own_line(text, after)) {
        strbuf_printf(out, " %s", strbuf_str(directive));
        return after->end;
    }
    Bytes indent = indentation(text, after->start);
    size_t at = text_line_end(text, after->end);
    strbuf_add_str(out, line_ending(text, after->end));
    strbuf_add(out, indent.data, indent.len);
    strbuf_add_str(out, strbuf_str(directive));
    return at;
}

/* Which indentation the first directive of a block gets: that of a comment in it, else one step more than the block's
 * own. A step is what the block has more than its parent, else four blanks. */
static void indent_first(const NginxNode *block, size_t body, size_t closing, StrBuf *out)
{
    Bytes text = block->file->text;
    size_t second_line = text_line_start(text, closing);
    for (size_t at = text_line_end(text, body) + 1; at < second_line; at = text_line_end(text, at) + 1) {
        size_t word = skip_blanks(text, at);
        if (text.data[word] == '#') {
            strbuf_add(out, text.data + at, word - at);
            return;
        }
    }
    Bytes own = indentation(text, closing), outer = {"", 0};
    if (block->parent && block->parent->parent && block->parent->file == block->file)
        outer = indentation(text, block->parent->start);
    strbuf_add(out, own.data, own.len);
    if (own.len > outer.len && memcmp(own.data, outer.data, outer.len) == 0)
        strbuf_add(out, own.data + outer.len, own.len - outer.len);
    else
        strbuf_add_str(out, own.len > 0 && own.data[0] == '\t' ? "\t" : "    ");
}

static size_t insert_first(const NginxNode *block, const StrBuf *directive, StrBuf *out)
{
    Bytes text = block->file->text;
    size_t body = block->args_end + 1, closing = block->end - 1;
    if (!memchr(text.data + body, '\n', closing - body)) {
        strbuf_printf(out, " %s%s", strbuf_str(directive), closing == body ? " " : "");
        return body;
    }
    indent_first(block, body, closing, out);
    strbuf_printf(out, "%s%s", strbuf_str(directive), line_ending(text, body));
    return text_line_start(text, closing);
}

/* At the end of the main file, which holds no directive. */
static size_t insert_into_file(const NginxFile *file, const StrBuf *directive, StrBuf *out)
{
    const char *newline = text_line_ending(file->text);
    bool open_line = file->text.len > 0 && file->text.data[file->text.len - 1] != '\n';
    strbuf_printf(out, "%s%s%s", open_line ? newline : "", strbuf_str(directive), newline);
    return file->text.len;
}

static const NginxNode *last_child_in_file(const NginxNode *block)
{
    const NginxNode *last = NULL;
    VEC_EACH (child, &block->children) {
        if ((*child)->file == block->file)
            last = *child;
    }
    return last;
}

static int check_insertion(const NginxNode *block, const NginxNode *after, Err *err)
{
    if (!block->block || block->data)
        return refuse(block->file, block->line, block->column, err, "no directive can be added here: this is no block");
    if (after && (after->parent != block || after->file != block->file))
        return refuse(after->file, after->line, after->column, err, "this directive is not in the block's own file");
    return check_editable(block->file, block, err);
}

int nginx_edit_insert(NginxEdits *edits, const NginxNode *block, const NginxNode *after, const char *name,
                      const char *const *args, size_t n_args, Err *err)
{
    int r = check_insertion(block, after, err);
    CLEANUP(strbuf_free) StrBuf directive = STRBUF_INIT((size_t)NGINX_TOKEN_MAX * 16);
    if (r == 0)
        r = format_directive(&directive, name, args, n_args, err);
    if (r == 0 && directive.overflowed)
        r = refuse(block->file, block->line, block->column, err, "the new directive is too long");
    if (r < 0)
        return r;
    if (!after)
        after = last_child_in_file(block);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT((size_t)NGINX_TOKEN_MAX * 32);
    size_t at = after           ? insert_behind(after, &directive, &text)
                : block->parent ? insert_first(block, &directive, &text)
                                : insert_into_file(block->file, &directive, &text);
    add(edits, block->file, at, at, &text);
    return 0;
}

/* The range that goes when a directive goes: with its line, or with the blanks that parted it from its neighbour. */
static void removal_range(const NginxNode *node, size_t *start, size_t *end)
{
    Bytes text = node->file->text;
    size_t line_start = text_line_start(text, node->start), line_end = text_line_end(text, node->end);
    bool first = is_blank(text, line_start, node->start), last = is_blank(text, node->end, line_end);
    *start = node->start;
    *end = node->end;
    if (first && last && line_start > 0) {
        *start = line_start - (line_start > 1 && text.data[line_start - 2] == '\r' ? 2 : 1);
        *end = line_end;
    } else if (first && last) { /* the first line of the file */
        *start = line_start;
        *end = line_end + (line_end < text.len && text.data[line_end] == '\r' ? 2 : line_end < text.len ? 1 : 0);
    } else if (first) {
        *end = skip_blanks(text, node->end);
    } else {
        while (*start > line_start && is_blank(text, *start - 1, *start))
            --*start;
    }
}

int nginx_edit_remove(NginxEdits *edits, const NginxNode *node, Err *err)
{
    int r = node->parent ? check_editable(node->file, node, err)
                         : err_set(err, ERR_REFUSED, "the main context cannot be removed");
    if (r < 0)
        return r;
    size_t start, end;
    removal_range(node, &start, &end);
    CLEANUP(strbuf_free) StrBuf nothing = STRBUF_INIT(1);
    add(edits, node->file, start, end, &nothing);
    return 0;
}

int nginx_edit_set(NginxEdits *edits, const NginxNode *block, const NginxNode *after, const char *name,
                   const char *value, Err *err)
{
    const NginxNode *there = nginx_child(block, name, NULL);
    if (!there)
        return nginx_edit_insert(edits, block, after, name, &value, 1, err);
    if (there->n_args != 1)
        return refuse(there->file, there->line, there->column, err,
                      "this directive does not have exactly one argument");
    return nginx_edit_arg(edits, there, 0, value, err);
}

/* The lexer is the judge, and the blocks must balance as before; Lua is passed over as it was in the original. */
static int check_result(Arena *arena, const NginxFile *file, Bytes text, Err *err)
{
    NginxTree *tree;
    if (nginx_tree_parse(arena, file->path, text, &tree, err) == 0)
        return 0;
    err->kind = ERR_REFUSED;
    return err_prefix(err, "after the edit nginx could not read the file");
}

int nginx_edits_apply(NginxEdits *edits, const NginxFile *file, Bytes *ret, Err *err)
{
    SpliceVec *splices = splices_of(edits, file);
    Bytes text;
    int r = splice_apply(edits->arena, file->text, splices, &text, err);
    if (r < 0)
        return err_prefix(err, "%s", file->path);
    if (splices->n > 0 && (r = check_result(edits->arena, file, text, err)) < 0)
        return r;
    *ret = text;
    return 0;
}
