/* SPDX-License-Identifier: Apache-2.0 */
/* The variables of a playbook: declarations become a Scope, bindings its values; the playbook layer's own. */
#pragma once

#include "playbook/language.h"
#include "playbook/playbook.h"

/* Decodes `vars` (NULL: there are none) into *ret. Without bindings the scope is for lint. Errors go to diags; a
 * variable with a broken declaration is still known, so that it is reported once. */
void variables_declare(Arena *arena, const Node *vars, const BindingVec *bindings, Diagnostics *diags, Scope *ret);
