/* SPDX-License-Identifier: Apache-2.0 */
/* One scanner for all languages: files of people mix them (a command line in a unit, JSON in Python, a header in
 * nginx), and a message does not tell which one it quotes. It looks for names that sound like secrets, then asks how
 * the name is bound to a value (secret-value.c), and masks that value. */
#include "config/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "config/nginx-lex.h"
#include "config/secret-value.h"
#include "data/json.h"

enum { STATEMENT_MAX = 8 * 1024, STATEMENT_WORDS = 64, PASSES_MAX = 50, BEARER_LEAST = 16, TOKEN_TAIL_LEAST = 8 };

/* Directives whose first word is the name that their second word is given to. */
static const char *const setters[] = {
    "set",           "proxy_set_header", "grpc_set_header", "add_header",       "add_trailer", "more_set_headers",
    "fastcgi_param", "uwsgi_param",      "scgi_param",      "auth_request_set", "js_var",
};

/* How the tokens of well-known services begin. */
static const char *const token_heads[] = {
    "sk_live_",    "sk_test_", "rk_live_", "pk_live_", "whsec_", "ghp_",    "gho_",    "ghs_",
    "github_pat_", "glpat-",   "xoxb-",    "xoxp-",    "xoxa-",  "xapp-",   "AKIA",    "ASIA",
    "AIzaSy",      "eyJhbGci", "npm_",     "pypi-Ag",  "shpat_", "dop_v1_", "sq0csp-", "SG.",
};

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool starts_at(const Scan *scan, size_t at, const char *text)
{
    size_t n = strlen(text);
    return at + n <= scan->len && memcmp(scan->data + at, text, n) == 0;
}

/* Copies what may be seen, and keeps account of the string that is open. */
static void copy(Scan *scan, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = scan->data[scan->at + i];
        bool escaped = scan->at + i > 0 && scan->data[scan->at + i - 1] == '\\';
        if (c == '\n' && !escaped) {
            scan->quote = 0;
        } else if ((c == '"' || c == '\'') && (!scan->quote || (scan->quote == c && !escaped))) {
            scan->quote = scan->quote ? 0 : c;
            scan->quote_at = scan->at + i;
        }
    }
    strbuf_add(scan->out, scan->data + scan->at, n);
    scan->at += n;
}

static void mask_range(Scan *scan, size_t start, size_t end)
{
    copy(scan, start - scan->at);
    secret_add_mask(scan->out, (Bytes){scan->data + start, end - start});
    scan->at = end;
}

void secret_add_mask(StrBuf *out, Bytes value)
{
    const char *p = value.data, *end = value.data + value.len;
    for (bool first = true; first || p < end; first = false) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *line_end = newline ? newline : end;
        if (first || line_end > p)
            strbuf_add_str(out, SECRET_MASK);
        if (newline)
            strbuf_add_char(out, '\n');
        p = newline ? newline + 1 : end;
    }
}

/* -----BEGIN ... PRIVATE KEY-----: what is between the two lines, or up to the end of the text. */
static bool mask_private_key(Scan *scan)
{
    size_t at = scan->at;
    if (!starts_at(scan, at, "-----BEGIN "))
        return false;
    size_t head = at + strlen("-----BEGIN ");
    while (head < scan->len && scan->data[head] != '-' && scan->data[head] != '\n')
        head++;
    Bytes title = {scan->data + at, head - at};
    if (!memmem(title.data, title.len, "PRIVATE KEY", strlen("PRIVATE KEY")) || !starts_at(scan, head, "-----"))
        return false;
    head += strlen("-----");
    const char *tail = memmem(scan->data + head, scan->len - head, "-----END ", strlen("-----END "));
    size_t end = tail ? (size_t)(tail - scan->data) : scan->len;
    size_t start = head;
    while (start < end && (scan->data[start] == '\r' || scan->data[start] == '\n'))
        start++;
    if (start < end)
        mask_range(scan, start, end);
    strbuf_add(scan->out, scan->data + scan->at, end - scan->at);
    scan->at = end;
    size_t footer = tail ? strlen("-----END ") : 0; /* its dashes begin no name */
    strbuf_add(scan->out, scan->data + scan->at, footer);
    scan->at += footer;
    return true;
}

static bool mask_url(Scan *scan)
{
    size_t start, len;
    if (!starts_at(scan, scan->at, "://"))
        return false;
    size_t at = scan->at + 3;
    if (!secret_in_url(scan->data + at, scan->len - at, scan->quote, &start, &len))
        return false;
    mask_range(scan, at + start, at + start + len);
    return true;
}

/* The words of one directive of nginx that begins here; 0 where there is none. */
static size_t read_statement(const Scan *scan, NginxToken *words)
{
    size_t room = scan->len - scan->at < STATEMENT_MAX ? scan->len - scan->at : STATEMENT_MAX;
    NginxLexer lexer;
    nginx_lexer_init(&lexer, (Bytes){scan->data + scan->at, room}, "");
    for (size_t n = 0; n < STATEMENT_WORDS; n++) {
        Err ignored;
        if (nginx_lexer_next(&lexer, &words[n], &ignored) < 0)
            return 0;
        if (words[n].kind == NGINX_TOKEN_SEMICOLON)
            return n;
        if (words[n].kind != NGINX_TOKEN_WORD)
            return 0;
    }
    return 0;
}

static bool word_is_secret_name(const Scan *scan, const NginxToken *word)
{
    size_t start = scan->at + word->start, end = scan->at + word->end;
    while (start < end && !is_name_char(scan->data[start]))
        start++;
    while (end > start && !is_name_char(scan->data[end - 1]))
        end--;
    return secret_is_name(scan->data + start, end - start);
}

/* `map $x $api_key {`: the second word of each line of the block is a secret. */
static bool opens_secret_map(const Scan *scan)
{
    size_t end = scan->at;
    const char *newline = memchr(scan->data + scan->at, '\n', scan->len - scan->at);
    size_t limit = newline ? (size_t)(newline - scan->data) : scan->len;
    if (!starts_at(scan, scan->at, "map ") && !starts_at(scan, scan->at, "geo "))
        return false;
    while (end < limit && scan->data[end] != '{')
        end++;
    size_t last = end;
    while (last > scan->at && !is_name_char(scan->data[last - 1]))
        last--;
    size_t start = last;
    while (start > scan->at && is_name_char(scan->data[start - 1]))
        start--;
    return end < limit && start > scan->at && scan->data[start - 1] == '$' &&
           secret_is_name(scan->data + start, last - start);
}

/* At the start of a statement. */
static bool mask_statement(Scan *scan)
{
    NginxToken words[STATEMENT_WORDS];
    size_t first = 0;
    while (scan->at + first < scan->len && is_name_char(scan->data[scan->at + first]))
        first++;
    if (opens_secret_map(scan))
        scan->secret_map = true;
    else if (starts_at(scan, scan->at, "}"))
        scan->secret_map = false;
    bool setter = false;
    for (size_t i = 0; i < ARRAY_LEN(setters); i++)
        setter = setter || (strlen(setters[i]) == first && starts_at(scan, scan->at, setters[i]));
    bool named = first && secret_is_name(scan->data + scan->at, first);
    if ((!setter && !named && !scan->secret_map) || scan->at + first >= scan->len)
        return false;
    char next = scan->data[scan->at + first];
    if (!scan->secret_map && next != ' ' && next != '\t')
        return false;
    size_t n = read_statement(scan, words), value = setter ? 2 : 1;
    if (n <= value || (setter && !word_is_secret_name(scan, &words[1])))
        return false;
    if (words[1].end > words[1].start && strchr("=:", scan->data[scan->at + words[1].start]))
        return false;
    size_t start = scan->at + words[value].start, end = scan->at + words[setter ? value : n - 1].end;
    if (secret_is_reference(scan->data + start, end - start) || secret_is_mask(scan, start))
        return false;
    mask_range(scan, start, end);
    return true;
}

static bool mask_token(Scan *scan, size_t name_len)
{
    size_t end = scan->at + name_len;
    while (end < scan->len && (is_name_char(scan->data[end]) || scan->data[end] == '.'))
        end++;
    for (size_t i = 0; i < ARRAY_LEN(token_heads); i++) {
        size_t head = strlen(token_heads[i]);
        if (starts_at(scan, scan->at, token_heads[i]) && end - scan->at >= head + TOKEN_TAIL_LEAST) {
            mask_range(scan, scan->at, end);
            return true;
        }
    }
    return false;
}

/* "Bearer abc...": what follows is one. */
static bool mask_bearer(Scan *scan, size_t name_len)
{
    size_t start = scan->at + name_len + 1, end = start;
    if (name_len != strlen("Bearer") || strncasecmp(scan->data + scan->at, "Bearer", name_len) != 0 ||
        start > scan->len || scan->data[start - 1] != ' ')
        return false;
    while (end < scan->len && (is_name_char(scan->data[end]) || strchr("._~+/=", scan->data[end])) && scan->data[end])
        end++;
    if (end - start < BEARER_LEAST)
        return false;
    mask_range(scan, start, end);
    return true;
}

static bool mask_named(Scan *scan, size_t name_len)
{
    size_t start, end;
    if (!secret_is_name(scan->data + scan->at, name_len))
        return false;
    if (!secret_value_of(scan, name_len, &start, &end) || secret_is_reference(scan->data + start, end - start))
        return false;
    mask_range(scan, start, end);
    return true;
}

static bool at_statement(const Scan *scan)
{
    size_t at = scan->at;
    while (at > 0 && (scan->data[at - 1] == ' ' || scan->data[at - 1] == '\t'))
        at--;
    return !scan->quote && !isspace((unsigned char)scan->data[scan->at]) &&
           (at == 0 || strchr("\n;{}", scan->data[at - 1]));
}

static Bytes mask_once(Arena *arena, Bytes text, bool prose)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(8 * text.len + 1024);
    Scan scan = {.data = text.data, .len = text.len, .prose = prose, .out = &out};
    while (scan.at < scan.len) {
        size_t name = 0;
        while (scan.at + name < scan.len && is_name_char(scan.data[scan.at + name]))
            name++;
        if (mask_private_key(&scan) || (at_statement(&scan) && mask_statement(&scan)) || mask_url(&scan))
            continue;
        if (name && (mask_token(&scan, name) || mask_bearer(&scan, name) || mask_named(&scan, name)))
            continue;
        copy(&scan, name ? name : 1);
    }
    return strbuf_bytes(arena, &out);
}

/* What a mask hides may change what stands around it: until nothing more is found. */
static Bytes mask_all(Arena *arena, Bytes text, bool prose)
{
    Bytes masked = mask_once(arena, text, prose);
    for (int passes = 1; passes < PASSES_MAX && !bytes_equal(text, masked); passes++) {
        text = masked;
        masked = mask_once(arena, text, prose);
    }
    return masked;
}

Bytes secret_mask_source(Arena *arena, Bytes source)
{
    return mask_all(arena, source, false);
}

const char *secret_mask_text(Arena *arena, const char *text)
{
    return text ? mask_all(arena, bytes_of(text), true).data : NULL;
}

void secret_mask_node(Arena *arena, Node *node)
{
    if (node->kind == NODE_SCALAR && node->quoted)
        node->text = secret_mask_text(arena, node->text);
    VEC_EACH (item, &node->items)
        secret_mask_node(arena, *item);
    VEC_EACH (pair, &node->pairs) {
        if (secret_is_name(pair->key->text, strlen(pair->key->text)) && !node_is_null(pair->value))
            pair->value = node_text(arena, SECRET_MASK);
        else
            secret_mask_node(arena, pair->value);
    }
}

const char *secret_json(Arena *arena, const Node *node)
{
    Node *copy = node_dup(arena, node);
    secret_mask_node(arena, copy);
    return json_to_string(arena, copy, JSON_COMPACT);
}
