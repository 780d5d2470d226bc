/* SPDX-License-Identifier: Apache-2.0 */
#include "report/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static const char *const telling_parts[] = {
    "password",   "passwd",    "passphrase", "pwd",         "secret",        "token",
    "apikey",     "api_key",   "api-key",    "private_key", "privatekey",    "access_key",
    "encrypt",    "signing",   "credential", "dsn",         "auth_basic",    "database_url",
    "broker_url", "redis_url", "cookie",     "sentry",      "authorization", "connection_string",
};

/* Names that hold a telling part and are harmless: nginx's and systemd's own. */
static const char *const harmless_names[] = {
    "auth_basic",         "auth_basic_user_file", "proxy_cookie_path", "proxy_cookie_domain",
    "proxy_cookie_flags", "ssl_password_file",    "server_tokens",     "userid_path",
};

/* What salve sets in environment files; secrets inside them are still found by their names. */
static const char *const shown_variables[] = {"GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"};

static bool contains(const char *text, size_t len, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= len; i++) {
        if (strncasecmp(text + i, part, n) == 0)
            return true;
    }
    return false;
}

static bool is_one_of(const char *text, size_t len, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(list[i]) == len && strncasecmp(text, list[i], len) == 0)
            return true;
    }
    return false;
}

bool secret_is_name(const char *name, size_t len)
{
    if (is_one_of(name, len, harmless_names, ARRAY_LEN(harmless_names)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(telling_parts); i++) {
        if (contains(name, len, telling_parts[i]))
            return true;
    }
    return false;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The value that begins at p: to the closing quote, else to what ends a word. `to_end`: a header or password may hold
 * blanks; it ends with its line, its statement or its quote. */
static size_t value_length(const char *p, size_t left, char open_quote, bool to_end)
{
    size_t len = 0;
    if (left && (*p == '"' || *p == '\'')) {
        char quote = *p;
        for (len = 1; len < left && p[len] != quote && p[len] != '\n'; len++)
            len += p[len] == '\\' && len + 1 < left && p[len + 1] != '\n';
        return len < left && p[len] == quote ? len + 1 : len;
    }
    while (len < left && p[len] != '\n' && p[len] != ';' && !(open_quote && p[len] == open_quote) &&
           (to_end || !isspace((unsigned char)p[len])))
        len++;
    return len;
}

/* What separates a name from its value, from p on; 0 where no value follows. */
static size_t separator_length(const char *p, size_t left, bool *ret_blank_only)
{
    size_t len = 0, quotes = left && (*p == '"' || *p == '\'') ? 1 : 0; /* a quoted key: "token": ... */
    len = quotes;
    while (len < left && (p[len] == ' ' || p[len] == '\t'))
        len++;
    *ret_blank_only = !(len < left && (p[len] == '=' || p[len] == ':'));
    if (*ret_blank_only)
        return quotes ? 0 : len;
    len++;
    while (len < left && (p[len] == ' ' || p[len] == '\t'))
        len++;
    return len;
}

/* The password of scheme://user:password@host, where p stands behind the "://". */
static bool url_password(const char *p, size_t left, size_t *ret_start, size_t *ret_len)
{
    size_t colon = 0;
    for (size_t i = 0; i < left && !isspace((unsigned char)p[i]) && p[i] != '/' && p[i] != '"' && p[i] != '\''; i++) {
        if (p[i] == ':' && !colon)
            colon = i + 1;
        if (p[i] == '@' && colon) {
            *ret_start = colon;
            *ret_len = i - colon;
            return true;
        }
    }
    return false;
}

/* A name at p[at] whose value is to be masked: how far the value is from the name's end, and its length. */
static bool named_secret(const char *p, size_t left, size_t name_len, char open_quote, size_t *ret_start,
                         size_t *ret_len)
{
    bool blank_only;
    if (!secret_is_name(p, name_len))
        return false;
    size_t separator = separator_length(p + name_len, left - name_len, &blank_only);
    /* In prose ("the token expired") a blank separates nothing; it does after --name and in "proxy_pass_header X". */
    bool is_option = name_len > 2 && p[0] == '-' && p[1] == '-';
    bool is_header = is_one_of(p, name_len, (const char *const[]){"authorization", "cookie", "set-cookie"}, 3);
    if (separator == 0 || (blank_only && !is_option && !is_header && p[left - 1] != ';'))
        return false;
    *ret_start = name_len + separator;
    *ret_len = value_length(p + *ret_start, left - *ret_start, open_quote, is_header);
    return *ret_len > 0;
}

static void mask_line(StrBuf *out, const char *line, size_t len)
{
    char open_quote = 0;
    for (size_t i = 0; i < len;) {
        size_t name = 0, start, value;
        while (i + name < len && is_name_char(line[i + name]))
            name++;
        bool found = false;
        if (name)
            found = named_secret(line + i, len - i, name, open_quote, &start, &value);
        else if (i + 3 <= len && memcmp(line + i, "://", 3) == 0 &&
                 (found = url_password(line + i + 3, len - i - 3, &start, &value)))
            start += 3;
        if (found) {
            strbuf_add(out, line + i, start);
            strbuf_add_str(out, SECRET_MASK);
            i += start + value;
            continue;
        }
        if (!name && (line[i] == '"' || line[i] == '\''))
            open_quote = open_quote == line[i] ? 0 : open_quote ? open_quote : line[i];
        strbuf_add(out, line + i, name ? name : 1);
        i += name ? name : 1;
    }
}

/* NAME=value of an environment file. */
static void mask_assignment(StrBuf *out, const char *line, size_t len)
{
    const char *equals = memchr(line, '=', len);
    size_t skip = strspn(line, " \t");
    if (!equals || line[skip] == '#' || line[skip] == ';') {
        mask_line(out, line, len);
        return;
    }
    size_t name_end = (size_t)(equals - line);
    if (str_starts(line + skip, "export "))
        skip += strlen("export ");
    if (skip < name_end && is_one_of(line + skip, name_end - skip, shown_variables, ARRAY_LEN(shown_variables))) {
        mask_line(out, line, len);
        return;
    }
    strbuf_add(out, line, name_end + 1);
    strbuf_add_str(out, name_end + 1 < len ? SECRET_MASK : "");
}

/* An environment file's value may go on over lines: in quotes, or after a backslash. */
static bool value_continues(const char *line, size_t len, char *quote)
{
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\\' && *quote != '\'')
            i++;
        else if (*quote ? line[i] == *quote : line[i] == '"' || line[i] == '\'')
            *quote = *quote ? 0 : line[i];
    }
    return *quote || (len && line[len - 1] == '\\');
}

/* Blank, a comment, or NAME=value without a blank before the sign. */
static bool is_assignment_line(const char *line, size_t len, bool *ret_assigns)
{
    size_t i = 0;
    while (i < len && (line[i] == ' ' || line[i] == '\t'))
        i++;
    if (i == len || line[i] == '#')
        return true;
    size_t start = i;
    while (i < len && (isalnum((unsigned char)line[i]) || line[i] == '_'))
        i++;
    *ret_assigns = i > start && i < len && line[i] == '=' && !isdigit((unsigned char)line[start]);
    return *ret_assigns;
}

bool secret_is_environment_file(const char *path, Bytes content)
{
    static const char *const others[] = {".py", ".service", ".socket", ".conf", ".timer", ".target", ".yaml"};
    if (str_ends(path, ".env") || str_ends(path, "/env") || str_starts(path, "/etc/default/") ||
        str_starts(path, "/etc/sysconfig/") || str_equal(path, "/etc/environment"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_ends(path, others[i]))
            return false;
    }
    bool any = false, assigns = false;
    const char *end = content.data + content.len;
    for (const char *p = content.data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((newline ? newline : end) - p);
        if (!is_assignment_line(p, len, &assigns))
            return false;
        any |= assigns;
        p += len + (newline ? 1 : 0);
    }
    return any;
}

Bytes secret_mask_file(Arena *arena, Bytes content, bool is_environment_file)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(4 * content.len + 1024);
    bool in_key = false, continued = false;
    char quote = 0;
    const char *end = content.data + content.len;
    for (const char *p = content.data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((newline ? newline : end) - p);
        bool key_ends = in_key && contains(p, len, "-----END ");
        bool comment = is_environment_file && !continued && len && (p[0] == '#' || p[0] == ';');
        if ((in_key && !key_ends) || continued)
            strbuf_add_str(&out, SECRET_MASK);
        else if (is_environment_file)
            mask_assignment(&out, p, len);
        else
            mask_line(&out, p, len);
        in_key = (in_key && !key_ends) || (contains(p, len, "-----BEGIN ") && contains(p, len, "PRIVATE KEY"));
        continued = is_environment_file && !comment && value_continues(p, len, &quote);
        if (newline)
            strbuf_add_char(&out, '\n');
        p += len + (newline ? 1 : 0);
    }
    return strbuf_bytes(arena, &out);
}

const char *secret_mask_text(Arena *arena, const char *text)
{
    return text ? secret_mask_file(arena, bytes_of(text), false).data : NULL;
}
