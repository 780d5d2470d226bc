/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables cannot say about a whole playbook; the playbook layer's own. */
#pragma once

#include "playbook/playbook.h"

/* Adds errors and warnings about a decoded playbook. */
void playbook_lint(const Playbook *playbook, Diagnostics *diags);
