/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords are written into URLs as they are, "@", ":" and "/" included, and most libraries take them so. The last "@"
 * ends the password then. */
#include <ctype.h>
#include <string.h>

#include "config/secret.h"

enum { TOKEN_LEAST = 20 };

static bool ends_url(char c, char quote)
{
    if (isspace((unsigned char)c) || c == '\0' || c == '<' || c == '>' || c == '`')
        return true;
    return quote ? c == quote : c == '"' || c == '\'';
}

/* Where the URL ends, or where the next one begins that is glued to it. */
static size_t url_length(const char *p, size_t left, char quote)
{
    size_t len = 0;
    while (len < left && !ends_url(p[len], quote)) {
        if (len > 0 && left - len >= 3 && memcmp(p + len, "://", 3) == 0) {
            while (len > 0 && (isalnum((unsigned char)p[len - 1]) || (p[len - 1] && strchr("+-.", p[len - 1]))))
                len--;
            return len;
        }
        len++;
    }
    return len;
}

/* "8000/users/?to=me@example": a port and a path, no password. */
static bool is_port_and_query(const char *p, size_t len)
{
    size_t digits = 0;
    while (digits < len && isdigit((unsigned char)p[digits]))
        digits++;
    return digits > 0 && digits <= 5 && digits < len && p[digits] == '/' && memchr(p, '?', len) != NULL;
}

bool secret_in_url(const char *p, size_t left, char quote, size_t *ret_start, size_t *ret_len)
{
    size_t len = url_length(p, left, quote), at = len;
    while (at > 0 && p[at - 1] != '@')
        at--;
    if (at == 0)
        return false;
    at--;
    const char *colon = memchr(p, ':', at);
    const char *slash = memchr(p, '/', colon ? (size_t)(colon - p) : at);
    if (slash || (!colon && at < TOKEN_LEAST))
        return false;
    *ret_start = colon ? (size_t)(colon - p) + 1 : 0;
    *ret_len = at - *ret_start;
    return !is_port_and_query(p + *ret_start, *ret_len);
}
