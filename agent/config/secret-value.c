/* SPDX-License-Identifier: Apache-2.0 */
/* The forms in which a name gets its value:
 *
 *     NAME = value           an expression of Python, up to the end of its logical line
 *     "NAME": value          a member of a dict or of JSON; NAME: value in YAML, with its block
 *     ["NAME"] = value       an item; ("NAME", value) an argument, as in setdefault("NAME", value)
 *     "NAME=value"           a string of its own, as in raw_env and Environment=
 *     NAME=value             a word of a command line or an environment
 *     --name value           an option
 *     Name: value            a header, up to the end of its line or string */
#include "config/secret-value.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

enum { LOOK_BACK = 2000 };

typedef enum Separator {
    SEPARATOR_NONE,
    SEPARATOR_EQUALS,
    SEPARATOR_COLON,
    SEPARATOR_ARGUMENT,
    SEPARATOR_BLANK
} Separator;

/* What is known of the name. */
typedef struct Binding {
    Separator separator;
    size_t value; /* where the value starts */
    bool quoted;  /* the name is a string of its own */
    bool spaced;  /* a blank on a side of the separator */
    bool first;   /* on its line */
    bool inside;  /* directly behind an open bracket or comma */
} Binding;

static char at(const Scan *scan, size_t i)
{
    return i < scan->len ? scan->data[i] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static bool is_any(char c, const char *list)
{
    return c && strchr(list, c);
}

/* Blanks, and line breaks behind a backslash. */
static size_t skip_blanks(const Scan *scan, size_t i)
{
    for (;; i++) {
        if (at(scan, i) == '\\' && at(scan, i + 1) == '\n')
            i++;
        else if (at(scan, i) == '\\' && at(scan, i + 1) == '\r' && at(scan, i + 2) == '\n')
            i += 2;
        else if (!is_blank(at(scan, i)))
            return i;
    }
}

static size_t line_end(const Scan *scan, size_t i)
{
    while (i < scan->len && scan->data[i] != '\n')
        i++;
    return i;
}

/* How many letters in front of a quote belong to a string of Python. */
static size_t string_prefix(const Scan *scan, size_t i)
{
    size_t n = 0;
    while (n < 2 && is_any(at(scan, i + n), "rRbBuUfF"))
        n++;
    return is_quote(at(scan, i + n)) ? n : 0;
}

/* Behind the string that starts here with its prefix; 0 where none does, or where it does not end. */
static size_t string_end(const Scan *scan, size_t i)
{
    i += string_prefix(scan, i);
    char quote = at(scan, i);
    if (!is_quote(quote))
        return 0;
    size_t quotes = at(scan, i + 1) == quote && at(scan, i + 2) == quote ? 3 : 1;
    for (i += quotes; i < scan->len; i++) {
        char c = scan->data[i];
        if (c == '\\')
            i += at(scan, i + 1) == '\r' ? 2 : 1;
        else if (c == '\n' && quotes == 1)
            return 0;
        else if (c == quote && (quotes == 1 || (at(scan, i + 1) == quote && at(scan, i + 2) == quote)))
            return i + quotes;
    }
    return 0;
}

/* Behind the bracket that closes the one here; 0 where none does. */
static size_t bracket_end(const Scan *scan, size_t i)
{
    size_t depth = 0, end;
    for (; i < scan->len; i++) {
        char c = scan->data[i];
        if ((is_quote(c) || string_prefix(scan, i)) && (end = string_end(scan, i)))
            i = end - 1;
        else if (c == '#' && (i == 0 || isspace((unsigned char)scan->data[i - 1])))
            i = line_end(scan, i) - 1;
        else if (is_any(c, "([{"))
            depth++;
        else if (is_any(c, ")]}") && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* Whether a string goes on in the next line: another one follows, which is no key, or an operator. */
static bool goes_on(const Scan *scan, size_t newline)
{
    size_t i = newline;
    while (i < scan->len && isspace((unsigned char)scan->data[i]))
        i++;
    if (is_any(at(scan, i), "+%.") && !isalnum((unsigned char)at(scan, i + 1)))
        return true;
    size_t end = string_end(scan, i);
    return end && at(scan, skip_blanks(scan, end)) != ':' && at(scan, skip_blanks(scan, end)) != '=';
}

/* An expression that starts with a string or a bracket ends where its logical line does, in front of a comma, a closing
 * bracket or a comment. `commas` are a part of it where it is what is left of an argument list. */
static size_t expression_end(const Scan *scan, size_t i, bool commas, bool in_brackets)
{
    size_t kept = i, end;
    for (; i < scan->len; i++) {
        char c = scan->data[i];
        if (is_any(c, ")]}") || (c == ',' && !commas) || (c == ';' && !commas) ||
            (c == '#' && i > kept && is_blank(scan->data[i - 1])) || c == scan->quote)
            break;
        if (c == '\n' && !commas && !(in_brackets && goes_on(scan, i)))
            break;
        if ((is_quote(c) || string_prefix(scan, i)) && (end = string_end(scan, i)))
            i = end - 1;
        else if (is_any(c, "([{") && (end = bracket_end(scan, i)))
            i = end - 1;
        else if (c == '\\' && (at(scan, i + 1) == '\n' || at(scan, i + 1) == '\r'))
            i += at(scan, i + 1) == '\r' ? 2 : 1;
        if (i < scan->len && !isspace((unsigned char)scan->data[i]))
            kept = i + 1;
    }
    return kept;
}

/* A value without quotes: the rest of the line, in a collection up to the next comma. */
static size_t bare_end(const Scan *scan, size_t i, bool in_collection)
{
    size_t start = i, kept = i;
    for (; i < scan->len && scan->data[i] != '\n'; i++) {
        char c = scan->data[i];
        if (c == scan->quote || (in_collection && is_any(c, ",)]}")))
            break;
        if (c == '\\' && (at(scan, i + 1) == '\n' || at(scan, i + 1) == '\r'))
            i += at(scan, i + 1) == '\r' ? 2 : 1;
        if (i < scan->len && !isspace((unsigned char)scan->data[i]))
            kept = i + 1;
    }
    return kept > start && scan->data[kept - 1] == ';' ? kept - 1 : kept;
}

/* A word of a command line: quoted parts and escaped blanks belong to it. */
static size_t word_end(const Scan *scan, size_t i)
{
    bool was_string = false;
    while (i < scan->len && !isspace((unsigned char)scan->data[i]) && scan->data[i] != scan->quote) {
        char c = scan->data[i];
        size_t end = is_quote(c) ? string_end(scan, i) : 0;
        if (c == ';' && (i + 1 >= scan->len || isspace((unsigned char)scan->data[i + 1])))
            break;
        if (was_string && is_any(c, ",)]};"))
            break;
        was_string = end > 0;
        i = end ? end : i + (c == '\\' && i + 1 < scan->len && scan->data[i + 1] != '\n' ? 2 : 1);
    }
    return i < scan->len ? i : scan->len;
}

/* To the quote that ends the string which the name stands in. */
static size_t quoted_end(const Scan *scan, size_t i)
{
    for (; i < scan->len && scan->data[i] != scan->quote; i++) {
        if (scan->data[i] == '\\' && i + 1 < scan->len)
            i += scan->data[i + 1] == '\r' ? 2 : 1;
        else if (scan->data[i] == '\n')
            break;
    }
    return i < scan->len ? i : scan->len;
}

static size_t indentation(const Scan *scan, size_t line)
{
    size_t i = line;
    while (is_blank(at(scan, i)))
        i++;
    return i - line;
}

static size_t line_start(const Scan *scan, size_t i)
{
    while (i > 0 && scan->data[i - 1] != '\n')
        i--;
    return i;
}

/* The lines of YAML's block that hang below the line of the name. */
static size_t block_end(const Scan *scan, size_t i)
{
    size_t own = indentation(scan, line_start(scan, scan->at)), end = line_end(scan, i), kept = end;
    while (end < scan->len) {
        size_t line = end + 1, text = line + indentation(scan, line);
        end = line_end(scan, line);
        bool empty = text >= scan->len || scan->data[text] == '\n' || scan->data[text] == '\r';
        bool item = at(scan, text) == '-' && text - line == own; /* a list may stand as far left as its key */
        if (!empty && text - line <= own && !item)
            break;
        kept = empty ? kept : end;
    }
    return kept;
}

/* Whether nothing but indentation, a comment's sign, a dash or "export" is in front of the name. */
static bool is_first(const Scan *scan, size_t name)
{
    size_t i = line_start(scan, name);
    while (i < name && is_any(scan->data[i], " \t#;-$\"'"))
        i++;
    if (name - i == strlen("export ") && memcmp(scan->data + i, "export ", strlen("export ")) == 0)
        i = name;
    return i == name;
}

/* The open bracket that the position is inside of, or 0: only as far back as a long dict. */
static char opener_before(const Scan *scan, size_t i)
{
    size_t depth = 0;
    for (size_t n = 0; i > 0 && n < LOOK_BACK; n++) {
        char c = scan->data[--i];
        if (is_any(c, ")]}"))
            depth++;
        else if (is_any(c, "([{") && depth-- == 0)
            return c;
    }
    return 0;
}

static Separator read_separator(const Scan *scan, size_t *i, bool quoted)
{
    char c = at(scan, *i), next = at(scan, *i + 1);
    if (c == '=' || (is_any(c, "+:!~?|") && next == '=')) {
        *i += c == '=' && !is_any(next, "=>~") ? 1 : 2;
        return SEPARATOR_EQUALS;
    }
    if (c == ':' && next != ':' && !(next == '/' && at(scan, *i + 2) == '/')) {
        ++*i;
        return SEPARATOR_COLON;
    }
    if (c == ',' && quoted) {
        ++*i;
        return SEPARATOR_ARGUMENT;
    }
    return SEPARATOR_NONE;
}

static void read_binding(const Scan *scan, size_t name_len, Binding *ret)
{
    size_t name = scan->at, end = name + name_len;
    bool opened = name > 0 && is_quote(scan->data[name - 1]);
    size_t before = opened || (name > 0 && scan->data[name - 1] == '$') ? name - 1 : name;
    bool escaped = opened && name > 1 && scan->data[name - 2] == '\\'; /* {\"token\": ...} */
    ret->quoted = opened && at(scan, end + escaped) == scan->data[name - 1];
    size_t i = end + (ret->quoted ? 1 + escaped : 0), gap = skip_blanks(scan, i);
    if (ret->quoted && at(scan, gap) == ']')
        gap = skip_blanks(scan, gap + 1);
    size_t sign = gap;
    ret->first = is_first(scan, name);
    while (before > 0 && is_blank(scan->data[before - 1]))
        before--;
    ret->inside = before > 0 && is_any(scan->data[before - 1], "([{,");
    ret->separator = read_separator(scan, &sign, ret->quoted);
    bool option = scan->data[name] == '-' && name_len > 2 && scan->data[name + 1] == '-';
    if (ret->separator == SEPARATOR_NONE && option && gap > i)
        ret->separator = SEPARATOR_BLANK;
    ret->value = skip_blanks(scan, sign);
    while (ret->separator == SEPARATOR_ARGUMENT && isspace((unsigned char)at(scan, ret->value)))
        ret->value++;
    ret->spaced = gap > i || ret->value > sign;
    if (ret->separator == SEPARATOR_ARGUMENT && opener_before(scan, before) != '(')
        ret->separator = SEPARATOR_NONE;
    if (ret->separator == SEPARATOR_COLON && !ret->quoted && name > 0 && is_any(scan->data[name - 1], "/."))
        ret->separator = SEPARATOR_NONE; /* the end of a path: "/srv/.token: No such file" */
    if (ret->separator == SEPARATOR_BLANK &&
        (at(scan, ret->value) == '-' || isspace((unsigned char)at(scan, ret->value))))
        ret->separator = SEPARATOR_NONE;
}

static bool is_header(const Scan *scan, size_t name_len)
{
    static const char *const headers[] = {"authorization", "proxy-authorization", "cookie", "set-cookie"};
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        if (strlen(headers[i]) == name_len && strncasecmp(scan->data + scan->at, headers[i], name_len) == 0)
            return true;
    }
    return false;
}

/* "NAME=value" where the quote is directly in front of the name: the string is the value's, blanks included. */
static bool fills_string(const Scan *scan, const Binding *binding)
{
    return scan->quote && !binding->quoted && scan->quote_at + 1 == scan->at;
}

static size_t value_end(const Scan *scan, size_t name_len, const Binding *binding)
{
    size_t i = binding->value;
    bool literal = string_end(scan, i) || (is_any(at(scan, i), "([{") && bracket_end(scan, i));
    literal = literal && at(scan, i) != scan->quote;
    if (binding->separator == SEPARATOR_ARGUMENT)
        return expression_end(scan, i, true, true);
    if (fills_string(scan, binding))
        return quoted_end(scan, i);
    bool code = binding->spaced || binding->separator == SEPARATOR_COLON || binding->inside || binding->first;
    if (literal && (code || is_any(at(scan, i), "([{")) && binding->separator != SEPARATOR_BLANK)
        return expression_end(scan, i, false, opener_before(scan, scan->at) != 0);
    if (binding->separator != SEPARATOR_BLANK && is_header(scan, name_len))
        return bare_end(scan, i, false);
    if (binding->separator == SEPARATOR_BLANK || scan->quote)
        return word_end(scan, i);
    if (binding->separator == SEPARATOR_COLON && binding->first && !scan->prose && !binding->quoted &&
        (is_any(at(scan, i), "|>\r\n") || i >= scan->len))
        return block_end(scan, i);
    bool line = binding->separator == SEPARATOR_EQUALS ? binding->spaced || (binding->first && !scan->prose)
                                                       : binding->first && !scan->prose;
    if (line || binding->inside)
        return bare_end(scan, i, binding->inside);
    return word_end(scan, i);
}

bool secret_value_of(const Scan *scan, size_t name_len, size_t *ret_start, size_t *ret_end)
{
    Binding binding = {0};
    read_binding(scan, name_len, &binding);
    if (binding.separator == SEPARATOR_NONE || secret_is_mask(scan, binding.value))
        return false;
    Scan behind = *scan;
    if (binding.quoted && scan->quote_at + 1 == scan->at)
        behind.quote = 0; /* the name's own string is over */
    *ret_start = binding.value;
    *ret_end = value_end(&behind, name_len, &binding);
    if (*ret_end <= *ret_start && (scan->prose || binding.quoted) && binding.separator == SEPARATOR_COLON)
        return false;
    if (*ret_end < *ret_start)
        *ret_end = *ret_start;
    return true;
}

bool secret_is_mask(const Scan *scan, size_t i)
{
    return i + strlen(SECRET_MASK) <= scan->len && memcmp(scan->data + i, SECRET_MASK, strlen(SECRET_MASK)) == 0;
}

/* $name or ${name}, and nothing else. */
static bool is_variable(const char *p, size_t len)
{
    size_t i = 1;
    if (len < 2 || p[0] != '$')
        return false;
    bool braced = p[1] == '{';
    for (i += braced; i < len && (isalnum((unsigned char)p[i]) || p[i] == '_'); i++)
        continue;
    return i > 1u + braced && (braced ? i + 1 == len && p[i] == '}' : i == len);
}

bool secret_is_reference(const char *value, size_t len)
{
    static const char *const lookups[] = {"os.environ[", "os.environ.get(", "os.getenv(", "environ[", "getenv("};
    while (len >= 2 && is_quote(value[0]) && value[len - 1] == value[0]) {
        value++;
        len -= 2;
    }
    if (is_variable(value, len))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        size_t head = strlen(lookups[i]), n = head + 1;
        if (len < head + 4 || memcmp(value, lookups[i], head) != 0 || !is_quote(value[head]))
            continue;
        while (n < len && (isalnum((unsigned char)value[n]) || value[n] == '_'))
            n++;
        if (n + 2 == len && value[n] == value[head] && is_any(value[n + 1], ")]"))
            return true;
    }
    return false;
}
