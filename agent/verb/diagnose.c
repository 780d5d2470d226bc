/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/finding.h"

#include "report/findings.h"
#include "run/own.h"
#include "stack/gunicorn.h"
#include "verb/prepare.h"

enum { DIAGNOSE_MAX = 4 << 20 };

typedef struct DiagnoseOptions {
    usec since_usec;
} DiagnoseOptions;

static const Option diagnose_options[] = {
    OPTION_DURATION(DiagnoseOptions, since_usec, "since", 0, "How far to look back (each finding has its default)."),
    OPTIONS_END,
};

static int print_findings(VerbContext *context, const char *unit, const FindingVec *findings, Err *err)
{
    if (context->globals->json) {
        Node *map = node_map(context->arena);
        node_set_text(context->arena, map, "unit", unit);
        node_set(context->arena, map, "findings", findings_json(context->arena, findings));
        return verb_print_json(map, err);
    }
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(DIAGNOSE_MAX);
    findings_show(findings, context->colour, &text);
    return verb_print(&text, err);
}

static int diagnose_run(VerbContext *context, Err *err)
{
    const DiagnoseOptions *options = context->options;
    const char *name = context->arguments.n ? context->arguments.items[0] : "auto", *unit;
    FindingVec findings = {0};
    CLEANUP(host_close) Host host = {0};
    int r = prepare_host(context, &host, err);
    if (r >= 0)
        r = gunicorn_resolve_unit(host.view, name, &unit, err);
    if (r < 0)
        return r;
    CLEANUP(store_close) Store store = {0};
    StringVec own = {0};
    Err ignored; /* without root the record cannot be read; then salve's own edits count as anybody's */
    if (!*context->settings->root && store_open_read(context->settings->state_dir, &store, &ignored) >= 0)
        own_paths(context->arena, &store, &own);
    FindingContext finding = {
        .arena = context->arena,
        .view = host.view,
        .live = host.live,
        .systemd = host.systemd,
        .unit = unit,
        .own = &own,
    };
    FindingSpec spec = {.since_usec = options->since_usec};
    for (size_t i = 0; finding_kinds[i]; i++)
        finding_examine(&finding, finding_kinds[i], &spec, vec_push(context->arena, &findings));
    return print_findings(context, unit, &findings, err);
}

const Verb verb_diagnose = {
    .name = "diagnose",
    .summary = "Findings about the Gunicorn service, with evidence. Only reads.",
    .arguments = "[UNIT]",
    .details =
        "UNIT may be left out where the host has one Gunicorn service. What cannot be told (a journal that may not be\n"
        "read) is \"unknown\", never \"absent\"; run as root for the whole picture.",
    .options = diagnose_options,
    .options_size = sizeof(DiagnoseOptions),
    .max_arguments = 1,
    .completes = COMPLETES_UNIT,
    .takes_root = true,
    .run = diagnose_run,
};
