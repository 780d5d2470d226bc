/* SPDX-License-Identifier: Apache-2.0 */
/* What root obeys must be root's: settings, playbooks, templates.
 *
 * Judged is the whole way from "/": each directory in which a name is looked up, each symlink that is followed, and the
 * file itself. All must belong to root and be writable, by mode and ACL, to nobody else. A sticky directory (/tmp) does
 * for what is root's in it, since nobody else can take that away. On a way where only root can change anything, nothing
 * can change between the judgement and the reading. */
#pragma once

#include "base/err.h"

/* Opens the file for reading, below `root` ("" for the live host). ERR_REFUSED: somebody else could have written it;
 * the error says which part of the way, who, and what to do. Whoever is not root reads what he may read: nothing is
 * judged.
 */
int trusted_open(const char *root, const char *path, int *ret_fd, Err *err);
