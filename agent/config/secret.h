/* SPDX-License-Identifier: Apache-2.0 */
/* Masking (promise 13): passwords, keys and tokens do not leave the host through a diff, an event, a record or an
 * error. Masking is for what is shown; what is needed to put a file back stays whole.
 *
 * A secret is known by what it means, not by how it is written. Masked is what is assigned to a name that sounds like a
 * secret's (PASSWORD, X-Auth-Key, $api_token), in the syntax of Python, units, environments, nginx, YAML, JSON and
 * command lines alike: the whole value, over all its lines, empty values too. So are passwords inside URLs, the inside
 * of private keys, and words that begin as the tokens of well-known services do. A mere reference ($http_cookie,
 * ${DB_PASSWORD}, os.environ["X"]) is no secret and stays readable.
 *
 * Masking a masked text changes nothing, and a text keeps its number of lines. */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"
#include "data/node.h"

#define SECRET_MASK "********"

/* Whether the name of a setting sounds like one whose value is nobody's business. */
bool secret_is_name(const char *name, size_t len);

/* The source of a program or a configuration. */
Bytes secret_mask_source(Arena *arena, Bytes source);
/* A sentence, perhaps with a line of a source in it: "cannot read the token: No such file" is no assignment. */
const char *secret_mask_text(Arena *arena, const char *text);
/* A tree by its keys, in place: masking its text would leave no JSON. */
void secret_mask_node(Arena *arena, Node *node);
/* A masked copy of a tree as one line of JSON: what a record keeps of a playbook's values. */
const char *secret_json(Arena *arena, const Node *node);

/* Adds a mask for each line of `value` that holds something, and at least one. */
void secret_add_mask(StrBuf *out, Bytes value);
/* The password of scheme://user:password@host, where p stands behind the "://" and `quote` is what ends the URL apart
 * from a blank, or 0. A user name without a password is one too, where it is as long as a token. */
bool secret_in_url(const char *p, size_t left, char quote, size_t *ret_start, size_t *ret_len);
