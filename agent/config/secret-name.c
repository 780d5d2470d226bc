/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of a name say. A name is split into words (DB_PASS, db-pass, DbPass); the last word says what kind of
 * value it is: PASSWORD_FILE is a file, SESSION_COOKIE_AGE a number, STRIPE_KEY a key. */
#include "config/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

enum { WORDS_MAX = 16, WORD_BYTES = 24 };

/* Tell by themselves, also as a part of a longer word (PGPASSWORD, secretkey). */
static const char *const telling_parts[] = {
    "password",      "passwd",       "passphrase",    "pwd",
    "secret",        "token",        "apikey",        "api_key",
    "api-key",       "private_key",  "privatekey",    "access_key",
    "accesskey",     "encrypt",      "signing",       "credential",
    "dsn",           "database_url", "broker_url",    "redis_url",
    "cookie",        "sentry",       "webhook",       "authkey",
    "authorization", "requirepass",  "smtppass",      "connection_string",
    "jwt",           "sessionid",    "origin-verify", "secure_link_md5",
};

/* Tell as the last word only: "pass" is a part of many a harmless name. */
static const char *const telling_words[] = {"pass",   "pw",    "psk",    "key",     "keys", "auth",
                                            "cred",   "creds", "salt",   "hmac",    "otp",  "pin",
                                            "fernet", "seed",  "bearer", "license", "pat",  "private"};

/* Words at the end that change nothing: DB_PASS_PROD, API_KEY_2 (digits are dropped as well). */
static const char *const neutral_words[] = {"prod", "production", "dev",   "test", "staging", "live",   "old",
                                            "new",  "id",         "value", "b64",  "hex",     "base64", "default"};

/* Last words of names that speak about a secret and hold none. */
static const char *const about_words[] = {
    "timeout", "age",      "ttl",      "expiry", "expires",    "lifetime", "secure",  "httponly", "samesite",
    "domain",  "name",     "names",    "path",   "file",       "dir",      "mode",    "hashers",  "validators",
    "backend", "backends", "class",    "length", "enabled",    "required", "header",  "type",     "algorithm",
    "model",   "prefix",   "function", "size",   "count",      "limit",    "days",    "flags",    "format",
    "policy",  "field",    "fields",   "zone",   "serializer", "seconds",  "minutes", "hours",    "headers",
};

/* Words in front of "key" that make it no secret. */
static const char *const open_keys[] = {"cache",  "primary",     "foreign", "sort",  "public",    "pub",
                                        "hash",   "host",        "group",   "index", "partition", "routing",
                                        "unique", "certificate", "map",     "order", "object",    "natural"};

/* Settings of nginx, systemd and shells that hold a telling word and are harmless. */
static const char *const harmless_names[] = {
    "auth_basic",
    "server_tokens",
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
    "LoadCredential",
    "LoadCredentialEncrypted",
    "ImportCredential",
    "PassCredentials",
    "AcceptCredentials",
    "PWD",
    "OLDPWD",
    "must_pass",
    "bypass",
};

static bool is_one_of(const char *text, size_t len, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(list[i]) == len && strncasecmp(text, list[i], len) == 0)
            return true;
    }
    return false;
}

static bool word_is_one_of(const char *word, const char *const *list, size_t n)
{
    return is_one_of(word, strlen(word), list, n);
}

static bool contains(const char *text, size_t len, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= len; i++) {
        if (strncasecmp(text + i, part, n) == 0)
            return true;
    }
    return false;
}

typedef char Word[WORD_BYTES];

/* The last words of a name, the very last one first; an overlong word is cut. */
static size_t words_of(const char *name, size_t len, Word *ret)
{
    size_t n = 0;
    for (size_t end = len; end > 0 && n < WORDS_MAX;) {
        size_t start = end;
        while (start > 0 && isalnum((unsigned char)name[start - 1])) {
            start--;
            bool hump = start > 0 && isupper((unsigned char)name[start]) && islower((unsigned char)name[start - 1]);
            if (hump)
                break;
        }
        size_t bytes = end - start < WORD_BYTES - 1 ? end - start : WORD_BYTES - 1;
        for (size_t i = 0; i < bytes; i++)
            ret[n][i] = (char)tolower((unsigned char)name[start + i]);
        ret[n][bytes] = '\0';
        n += bytes > 0;
        end = start;
        while (end > 0 && !isalnum((unsigned char)name[end - 1]))
            end--;
    }
    return n;
}

static bool is_neutral(const char *word)
{
    return word[strspn(word, "0123456789")] == '\0' || word_is_one_of(word, neutral_words, ARRAY_LEN(neutral_words));
}

bool secret_is_name(const char *name, size_t len)
{
    Word words[WORDS_MAX];
    if (is_one_of(name, len, harmless_names, ARRAY_LEN(harmless_names)))
        return false;
    size_t n = words_of(name, len, words), last = 0;
    if (n == 0 || word_is_one_of(words[0], about_words, ARRAY_LEN(about_words)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(telling_parts); i++) {
        if (contains(name, len, telling_parts[i]))
            return true;
    }
    while (last + 1 < n && is_neutral(words[last]))
        last++;
    if (!word_is_one_of(words[last], telling_words, ARRAY_LEN(telling_words)))
        return false;
    bool key = str_starts(words[last], "key");
    return !key || last + 1 >= n || !word_is_one_of(words[last + 1], open_keys, ARRAY_LEN(open_keys));
}
