/* SPDX-License-Identifier: Apache-2.0 */
/* Each statement is asked one question: may it give a known setting a value, and if so, is it the plain form?
 *
 * A line is taken apart into statements (at ";"). On the top level, `name = literal` and nothing else is plain. What
 * else binds a name (assignments of every form, imports, loops, with, del, def, class) makes the setting dynamic, and
 * so does the plain form inside of an if, for or try. A function's own names are its own unless it says `global`. What
 * can bind any name (import *, globals(), exec) is kept under the name "*". When in doubt a setting is dynamic. */
#include "config/gunicorn-conf.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/gunicorn.h"
#include "config/python-lex.h"
#include "config/splice.h"
#include "config/text.h"

/* Where a statement stands. */
typedef enum Scope { SCOPE_TOP, SCOPE_BLOCK, SCOPE_FUNCTION } Scope;

typedef struct Statement {
    Arena *arena;
    GunicornConf *conf;
    const PythonToken *tokens;
    size_t n;
    Scope scope;
} Statement;

static bool is_text(const Statement *s, size_t index, const char *text)
{
    if (index >= s->n)
        return false;
    const PythonToken *token = &s->tokens[index];
    size_t len = strlen(text);
    return token->end - token->start == len && memcmp(s->conf->text.data + token->start, text, len) == 0;
}

static bool is_name_of(const Statement *s, size_t index, const char *const *names, size_t n)
{
    if (index >= s->n || s->tokens[index].kind != PYTHON_NAME)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (is_text(s, index, names[i]))
            return true;
    }
    return false;
}

static bool is_op(const Statement *s, size_t index, char op)
{
    return index < s->n && s->tokens[index].kind == PYTHON_OP && s->tokens[index].op == op;
}

/* The known setting that the token names, not as an attribute; NULL for none. */
static const char *setting_at(const Statement *s, size_t index)
{
    const PythonToken *token = &s->tokens[index];
    if (token->kind != PYTHON_NAME || token->end - token->start > 64 || (index > 0 && is_op(s, index - 1, '.')))
        return NULL;
    char name[65];
    size_t len = token->end - token->start;
    memcpy(name, s->conf->text.data + token->start, len);
    name[len] = '\0';
    const GunicornSetting *setting = gunicorn_setting(name);
    return setting ? setting->name : NULL;
}

static GunicornConfValue *add(const Statement *s, const PythonToken *token, const char *name, GunicornConfKind kind)
{
    GunicornConfValue *value = vec_push(s->arena, &s->conf->values);
    *value = (GunicornConfValue){.name = name, .kind = kind, .start = token->start, .end = token->end};
    value->line = token->line;
    value->column = text_column(s->conf->text, token->start);
    value->delayed = s->scope == SCOPE_FUNCTION;
    return value;
}

static void add_dynamic(const Statement *s, size_t index, const char *name, const char *reason)
{
    add(s, &s->tokens[index], name, GUNICORN_CONF_DYNAMIC)->reason = reason;
}

/* Every known setting among the tokens of a range. */
static void add_dynamic_range(const Statement *s, size_t from, size_t to, const char *reason)
{
    for (size_t i = from; i < to; i++) {
        const char *name = setting_at(s, i);
        if (name)
            add_dynamic(s, i, name, reason);
    }
}

/* The literal's kind and text, or dynamic. */
static GunicornConfKind literal_kind(const Statement *s, size_t index, const char **ret)
{
    const PythonToken *token = &s->tokens[index];
    *ret = NULL;
    if (token->kind == PYTHON_NUMBER && python_integer(s->arena, s->conf->text, token, ret))
        return GUNICORN_CONF_INT;
    if (token->kind == PYTHON_STRING && python_string(s->arena, s->conf->text, token, ret))
        return GUNICORN_CONF_STRING;
    if (!is_text(s, index, "True") && !is_text(s, index, "False") && !is_text(s, index, "None"))
        return GUNICORN_CONF_DYNAMIC;
    *ret = arena_strndup(s->arena, s->conf->text.data + token->start, token->end - token->start);
    return str_equal(*ret, "None") ? GUNICORN_CONF_NONE : GUNICORN_CONF_BOOL;
}

/* `name = literal`; whether it was that. */
static bool read_plain(const Statement *s)
{
    const char *name = s->n > 0 ? setting_at(s, 0) : NULL, *text;
    if (s->n != 3 || !name || !is_op(s, 1, '=') || s->scope != SCOPE_TOP)
        return false;
    GunicornConfKind kind = literal_kind(s, 2, &text);
    if (kind == GUNICORN_CONF_DYNAMIC)
        return false;
    add(s, &s->tokens[2], name, kind)->text = text;
    return true;
}

static const char *assignment_reason(const Statement *s, size_t last)
{
    if (s->scope != SCOPE_TOP)
        return "assigned inside an indented block";
    if (s->tokens[last].op == PYTHON_AUGMENTED)
        return "changed by an augmented assignment";
    return last == 1 ? "the value is an expression" : "assigned together with other names";
}

/* Assignments of every form: what stands in front of the last = is bound. */
static void read_assignments(const Statement *s)
{
    size_t last = 0;
    for (size_t i = 0; i < s->n; i++) {
        const PythonToken *token = &s->tokens[i];
        bool assigns = token->kind == PYTHON_OP && (token->op == '=' || token->op == PYTHON_AUGMENTED);
        if (assigns && token->depth == 0)
            last = i;
        if (is_op(s, i, PYTHON_WALRUS) && i > 0)
            add_dynamic_range(s, i - 1, i, "assigned inside an expression");
    }
    if (last > 0)
        add_dynamic_range(s, 0, last, assignment_reason(s, last));
    else if (s->n > 1 && s->tokens[0].kind == PYTHON_NAME && (is_op(s, 1, '.') || is_op(s, 1, '[')))
        add_dynamic_range(s, 0, 1, "changed in place"); /* bind.append(...) */
}

static void read_import(const Statement *s)
{
    bool listed = false;
    for (size_t i = 0; i < s->n; i++) {
        if (listed && is_op(s, i, '*'))
            add_dynamic(s, i, "*", "everything is imported from another module");
        else if (listed && !is_text(s, i + 1, "as"))
            add_dynamic_range(s, i, i + 1, "imported from another module");
        listed = listed || is_text(s, i, "import");
    }
}

/* Calls that may set any name. */
static void read_wild(const Statement *s)
{
    static const char *const wild[] = {"globals", "locals", "vars", "exec", "eval", "setattr", "__import__", "compile"};
    for (size_t i = 0; i < s->n; i++) {
        bool attribute = i > 0 && is_op(s, i - 1, '.');
        if (!attribute && is_name_of(s, i, wild, ARRAY_LEN(wild)) && is_op(s, i + 1, '('))
            add_dynamic(s, i, "*", "names may be set by a call");
        if (is_text(s, i, "__dict__") || is_text(s, i, "modules"))
            add_dynamic(s, i, "*", "names may be set through the module");
    }
}

static void read_statement(const Statement *s)
{
    static const char *const imports[] = {"import", "from"}, *const global[] = {"global"};
    static const char *const binders[] = {"for", "async", "with", "except", "del", "def", "class", "case", "match"};
    read_wild(s);
    if (is_name_of(s, 0, global, 1))
        add_dynamic_range(s, 1, s->n, "a function may set it");
    if (s->scope == SCOPE_FUNCTION || read_plain(s))
        return;
    if (is_name_of(s, 0, imports, ARRAY_LEN(imports)))
        read_import(s);
    else if (is_name_of(s, 0, binders, ARRAY_LEN(binders)) && !is_op(s, 1, '='))
        add_dynamic_range(s, 1, s->n, "bound by a statement that is no assignment");
    else
        read_assignments(s);
}

static bool starts_block(const Statement *s)
{
    static const char *const words[] = {"if",  "elif",   "else",    "for",   "while", "with",
                                        "try", "except", "finally", "match", "case",  "async"};
    return is_name_of(s, 0, words, ARRAY_LEN(words)) && !is_op(s, 1, '=');
}

static bool starts_function(const Statement *s)
{
    static const char *const words[] = {"def", "class"};
    return is_name_of(s, 0, words, ARRAY_LEN(words)) || (is_text(s, 0, "async") && is_text(s, 1, "def"));
}

/* The ":" behind which an if, for or def may have its body on the same line; n for none. */
static size_t body_of(const Statement *line)
{
    if (!starts_block(line) && !starts_function(line))
        return line->n;
    size_t i = 0;
    while (i < line->n && !(is_op(line, i, ':') && line->tokens[i].depth == 0))
        i++;
    return i;
}

/* The statements of a line: its parts between ";", and what stands behind the ":" of an if, for or def. */
static void read_line(Statement line)
{
    size_t start = 0, body = body_of(&line);
    for (size_t i = 0; i <= line.n; i++) {
        bool ends = i == line.n || i == body || (is_op(&line, i, ';') && line.tokens[i].depth == 0);
        if (!ends)
            continue;
        Statement part = line;
        part.tokens = line.tokens + start;
        part.n = i - start;
        if (part.n > 0)
            read_statement(&part);
        start = i + 1;
    }
}

/* A def or class on the top level binds its own name there; its arguments and what follows on its line do not. */
static void read_definition(Statement line)
{
    size_t name = is_text(&line, 0, "async") ? 2 : 1;
    if (name < line.n)
        add_dynamic_range(&line, name, name + 1, "a function");
    line.scope = SCOPE_FUNCTION;
    read_line(line);
}

/* Python takes a lone carriage return for a line break, also behind a comment; nobody writes one on purpose. */
static int check_bytes(const char *path, Bytes text, Err *err)
{
    for (size_t i = 0; i < text.len; i++) {
        bool lone = text.data[i] == '\r' && (i + 1 == text.len || text.data[i + 1] != '\n');
        if (lone || text.data[i] == '\0')
            return err_at(err, ERR_INVALID, path, text_line(text, i), text_column(text, i), "%s is in it",
                          lone ? "a carriage return without a line feed" : "a NUL byte");
    }
    return 0;
}

int gunicorn_conf_parse(Arena *arena, const char *path, Bytes text, GunicornConf *ret, Err *err)
{
    int r = check_bytes(path, text, err);
    if (r < 0)
        return r;
    GunicornConf conf = {.path = path, .text = text};
    PythonLexer lexer;
    PythonTokenVec tokens = {0};
    python_lexer_init(&lexer, text, path);
    bool in_function = false, indented = false;
    while ((r = python_next_line(&lexer, arena, &tokens, &indented, err)) > 0) {
        Statement line = {.arena = arena, .conf = &conf, .tokens = tokens.items, .n = tokens.n};
        if (!indented)
            in_function = starts_function(&line);
        if (!indented && in_function) {
            read_definition(line);
            continue;
        }
        line.scope = in_function ? SCOPE_FUNCTION : indented || starts_block(&line) ? SCOPE_BLOCK : SCOPE_TOP;
        read_line(line);
    }
    if (r < 0)
        return r;
    *ret = conf;
    return 0;
}

const GunicornConfValue *gunicorn_conf_get(const GunicornConf *conf, const char *name)
{
    const GunicornConfValue *last = NULL;
    VEC_EACH (value, &conf->values) {
        if (str_equal(value->name, name) && !(last && last->delayed))
            last = value;
    }
    return last;
}

const GunicornConfValue *gunicorn_conf_wild(const GunicornConf *conf, const GunicornConfValue *behind)
{
    VEC_EACH (value, &conf->values) {
        if (str_equal(value->name, "*") && (!behind || value->delayed || value->start > behind->start))
            return value;
    }
    return NULL;
}

static int refuse(const GunicornConf *conf, const GunicornConfValue *value, const char *name, Err *err)
{
    return err_at(err, ERR_REFUSED, conf->path, value->line, value->column, "%s cannot be edited surely: %s", name,
                  value->reason);
}

int gunicorn_conf_set(Arena *arena, const GunicornConf *conf, const char *name, const char *literal, Bytes *ret,
                      Err *err)
{
    const GunicornConfValue *value = gunicorn_conf_get(conf, name);
    if (value && value->kind == GUNICORN_CONF_DYNAMIC)
        return refuse(conf, value, name, err);
    const GunicornConfValue *wild = gunicorn_conf_wild(conf, value);
    if (wild)
        return refuse(conf, wild, name, err);
    if (!value)
        return err_set(err, ERR_NOT_FOUND, "%s does not set %s", conf->path, name);
    SpliceVec splices = {0};
    *vec_push(arena, &splices) = (Splice){value->start, value->end, bytes_of(literal)};
    return splice_apply(arena, conf->text, &splices, ret, err);
}

int gunicorn_conf_append(Arena *arena, const GunicornConf *conf, const char *name, const char *literal, Bytes *ret,
                         Err *err)
{
    const char *newline = text_line_ending(conf->text);
    size_t len = conf->text.len;
    bool open_line = len > 0 && conf->text.data[len - 1] != '\n';
    const char *line = arena_printf(arena, "%s%s = %s%s", open_line ? newline : "", name, literal, newline);
    SpliceVec splices = {0};
    *vec_push(arena, &splices) = (Splice){len, len, bytes_of(line)};
    return splice_apply(arena, conf->text, &splices, ret, err);
}
