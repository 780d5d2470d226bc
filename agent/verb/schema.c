/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook/playbook.h"
#include "verb/verb.h"

static int schema_run(VerbContext *context, Err *err)
{
    return verb_print_json(playbook_schema(context->arena), err);
}

const Verb verb_schema = {
    .name = "schema",
    .summary = "The JSON Schema of the playbook language, for editors.",
    .arguments = "",
    .details = "Editors that read YAML with a schema complete and check playbooks with it. For those that use\n"
               "yaml-language-server: salve schema > salve.json, and in the playbook's first line\n"
               "    # yaml-language-server: $schema=salve.json",
    .takes_root = true,
    .plain = true,
    .run = schema_run,
};
