/* SPDX-License-Identifier: Apache-2.0 */
#include "report/diff.h"

#include <string.h>

#include "report/ink.h"
#include "report/line-diff.h"
#include "report/secret.h"

enum { BINARY_LOOK = 8000 };

/* As git and grep tell: a NUL near the beginning. */
static bool is_binary(Bytes content)
{
    return memchr(content.data, 0, content.len < BINARY_LOOK ? content.len : BINARY_LOOK) != NULL;
}

static bool has_lines(const FileState *state)
{
    return state->type == FILE_REGULAR;
}

/* What is said in words: what became of the path, apart from its lines. */
static void add_heading(Ink *ink, const Edit *edit)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const FileState *before = &edit->before, *after = &edit->after;
    if (before->type == FILE_ABSENT) {
        ink_printf(ink, INK_BOLD, "create %s %s", file_type_to_string(after->type), edit->path);
        if (after->type != FILE_SYMLINK)
            ink_printf(ink, INK_BOLD, " (mode %04o, owner %u:%u)", after->mode, after->uid, after->gid);
    } else if (after->type == FILE_ABSENT) {
        ink_printf(ink, INK_BOLD, "delete %s %s", file_type_to_string(before->type), edit->path);
    } else {
        ink_printf(ink, INK_BOLD, "change %s (%s)", edit->path, file_state_difference(arena, before, after));
    }
    if (before->type == FILE_SYMLINK)
        ink_printf(ink, INK_RED, "\n-> %s", before->content.data);
    if (after->type == FILE_SYMLINK)
        ink_printf(ink, INK_GREEN, "\n-> %s", after->content.data);
    ink_text(ink, INK_PLAIN, "\n");
}

/* Both texts as lines, and as the lines that may be shown. */
typedef struct Sides {
    LineVec before, after, before_shown, after_shown;
    LineChangeVec changes;
} Sides;

static void sides_of(Arena *arena, const Edit *edit, const DiffOptions *options, Sides *ret)
{
    Bytes before = has_lines(&edit->before) ? edit->before.content : BYTES("");
    Bytes after = has_lines(&edit->after) ? edit->after.content : BYTES("");
    bool environment = strings_contain(&options->environment_files, edit->path) ||
                       secret_is_environment_file(edit->path, before) || secret_is_environment_file(edit->path, after);
    lines_of(arena, before, &ret->before);
    lines_of(arena, after, &ret->after);
    lines_of(arena, secret_mask_file(arena, before, environment), &ret->before_shown);
    lines_of(arena, secret_mask_file(arena, after, environment), &ret->after_shown);
    line_diff(arena, &ret->before, &ret->after, &ret->changes);
}

static void add_line(Ink *ink, char sign, const Line *line)
{
    InkColour colour = sign == '-' ? INK_RED : sign == '+' ? INK_GREEN : INK_PLAIN;
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(line->text.len + 2);
    strbuf_add_char(&text, sign);
    strbuf_add(&text, line->text.data, line->text.len);
    ink_bytes(ink, colour, (Bytes){strbuf_str(&text), text.len});
    strbuf_add_char(ink->out, '\n');
    if (!line->newline)
        ink_text(ink, INK_DIM, "\\ No newline at end of file\n");
}

static void add_lines(Ink *ink, char sign, const LineVec *lines, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        add_line(ink, sign, &lines->items[i]);
}

/* "12,3": where a hunk is. An empty range is given by the line in front of it (POSIX diff). */
static void add_range(StrBuf *out, size_t from, size_t n)
{
    strbuf_printf(out, "%zu", n ? from + 1 : from);
    if (n != 1)
        strbuf_printf(out, ",%zu", n);
}

/* Changes first..last share one hunk. */
static void add_hunk(Ink *ink, const Sides *sides, size_t first, size_t last, unsigned context)
{
    const LineChange *head = &sides->changes.items[first], *tail = &sides->changes.items[last];
    size_t lead = head->a < context ? head->a : context;
    size_t rest = sides->before.n - (tail->a + tail->a_len);
    size_t trail = rest < context ? rest : context;
    CLEANUP(strbuf_free) StrBuf range = STRBUF_INIT(200);
    strbuf_add_str(&range, "@@ -");
    add_range(&range, head->a - lead, tail->a + tail->a_len + trail - (head->a - lead));
    strbuf_add_str(&range, " +");
    add_range(&range, head->b - lead, tail->b + tail->b_len + trail - (head->b - lead));
    strbuf_add_str(&range, " @@");
    ink_text(ink, INK_CYAN, strbuf_str(&range));
    strbuf_add_char(ink->out, '\n');
    size_t a = head->a - lead;
    for (size_t i = first; i <= last; i++) {
        const LineChange *change = &sides->changes.items[i];
        add_lines(ink, ' ', &sides->before_shown, a, change->a - a);
        add_lines(ink, '-', &sides->before_shown, change->a, change->a_len);
        add_lines(ink, '+', &sides->after_shown, change->b, change->b_len);
        a = change->a + change->a_len;
    }
    add_lines(ink, ' ', &sides->before_shown, a, trail);
}

static void add_hunks(Ink *ink, const Sides *sides, unsigned context)
{
    for (size_t first = 0; first < sides->changes.n;) {
        size_t last = first;
        while (last + 1 < sides->changes.n &&
               sides->changes.items[last + 1].a - sides->changes.items[last].a - sides->changes.items[last].a_len <=
                   2 * (size_t)context)
            last++;
        add_hunk(ink, sides, first, last, context);
        first = last + 1;
    }
}

void diff_edit(const Edit *edit, const DiffOptions *options, StrBuf *out)
{
    Ink ink = {out, options->colour};
    add_heading(&ink, edit);
    bool before_lines = has_lines(&edit->before), after_lines = has_lines(&edit->after);
    if ((!before_lines && !after_lines) || bytes_equal(edit->before.content, edit->after.content))
        return;
    if ((before_lines && is_binary(edit->before.content)) || (after_lines && is_binary(edit->after.content))) {
        ink_printf(&ink, INK_PLAIN, "Binary content differs: %zu bytes before, %zu bytes after\n",
                   before_lines ? edit->before.content.len : 0, after_lines ? edit->after.content.len : 0);
        return;
    }
    CLEANUP(arena_free) Arena *arena = arena_new();
    Sides sides;
    sides_of(arena, edit, options, &sides);
    if (sides.changes.n == 0)
        return;
    ink_printf(&ink, INK_BOLD, "--- %s\n", before_lines ? edit->path : "/dev/null");
    ink_printf(&ink, INK_BOLD, "+++ %s\n", after_lines ? edit->path : "/dev/null");
    add_hunks(&ink, &sides, options->context);
}

void diff_edits(const EditVec *edits, const DiffOptions *options, StrBuf *out)
{
    VEC_EACH (edit, edits) {
        if (edit != edits->items)
            strbuf_add_char(out, '\n');
        diff_edit(edit, options, out);
    }
}

DiffStat diff_stat(const EditVec *edits)
{
    DiffStat stat = {0};
    VEC_EACH (edit, edits) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        LineVec before, after;
        LineChangeVec changes;
        lines_of(arena, has_lines(&edit->before) ? edit->before.content : BYTES(""), &before);
        lines_of(arena, has_lines(&edit->after) ? edit->after.content : BYTES(""), &after);
        line_diff(arena, &before, &after, &changes);
        stat.files += edit->after.type != FILE_DIRECTORY && edit->before.type != FILE_DIRECTORY;
        VEC_EACH (change, &changes) {
            stat.removed += change->a_len;
            stat.added += change->b_len;
        }
    }
    return stat;
}
