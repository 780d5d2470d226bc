/* SPDX-License-Identifier: Apache-2.0 */
/* --help, made from the tables of verbs and options. */
#include <string.h>

#include "base/strbuf.h"
#include "report/ink.h"
#include "verb/verb.h"

enum { HELP_COLUMN = 28, HELP_WIDTH = 100 };

/* `text` from column HELP_COLUMN on, broken between words. */
static void add_wrapped(Ink *ink, size_t column, const char *text)
{
    if (column + 1 > HELP_COLUMN) {
        strbuf_add_char(ink->out, '\n');
        column = 0;
    }
    for (; column < HELP_COLUMN; column++)
        strbuf_add_char(ink->out, ' ');
    while (*text) {
        size_t len = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
            strbuf_printf(ink->out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            strbuf_add_char(ink->out, ' ');
            column++;
        }
        ink_bytes(ink, INK_PLAIN, (Bytes){text, len});
        column += len;
        text += len + strspn(text + len, " ");
    }
    strbuf_add_char(ink->out, '\n');
}

static void add_options(Ink *ink, const Option *options)
{
    for (const Option *option = options; option && option->name; option++) {
        CLEANUP(strbuf_free) StrBuf name = STRBUF_INIT(200);
        if (option->letter)
            strbuf_printf(&name, "  -%c, --%s", option->letter, option->name);
        else
            strbuf_printf(&name, "      --%s", option->name);
        if (option->argument)
            strbuf_printf(&name, " %s", option->argument);
        ink_text(ink, INK_PLAIN, strbuf_str(&name));
        add_wrapped(ink, name.len, option->help);
    }
}

void help_of_verb(const Verb *verb, bool colour, StrBuf *out)
{
    Ink ink = {out, colour};
    ink_text(&ink, INK_BOLD, "Usage:");
    ink_printf(&ink, INK_PLAIN, " salve %s%s%s%s%s\n\n%s\n", verb->name, verb->takes_command ? " [OPTION]..." : "",
               *verb->arguments ? " " : "", verb->arguments, verb->takes_command ? "" : " [OPTION]...",
               verb->summary); /* what follows a command is the command's */
    if (verb->details)
        ink_printf(&ink, INK_PLAIN, "\n%s\n", verb->details);
    if (verb->options) {
        ink_text(&ink, INK_BOLD, "\nOptions:\n");
        add_options(&ink, verb->options);
    }
    ink_text(&ink, INK_BOLD, "\nOptions of every command:\n");
    add_options(&ink, global_options);
}

static const char *const exit_statuses[] = {
    "0  done: kept, or nothing to do",
    "1  error, or a restart that failed",
    "2  wrong command line or invalid playbook",
    "3  refused, nothing was touched",
    "4  rolled back",
    "5  stuck: restoring or activating could not be proved; a person has to look",
    "6  busy: another run has the lock, or the host is held",
    "7  not reachable",
};

void help_of_program(bool colour, StrBuf *out)
{
    Ink ink = {out, colour};
    ink_text(&ink, INK_BOLD, "Usage:");
    ink_text(
        &ink, INK_PLAIN,
        " salve COMMAND [OPTION]...\n\n"
        "Repairs Django hosts (Gunicorn, nginx, systemd) by playbook: diagnoses, snapshots, changes, restarts only\n"
        "what is affected, verifies, and puts everything back by itself where verification fails.\n");
    ink_text(&ink, INK_BOLD, "\nCommands:\n");
    for (size_t i = 0; verbs[i]; i++) {
        if (verbs[i]->hidden)
            continue;
        CLEANUP(strbuf_free) StrBuf name = STRBUF_INIT(200);
        strbuf_printf(&name, "  %s %s", verbs[i]->name, verbs[i]->arguments);
        ink_text(&ink, INK_PLAIN, strbuf_str(&name));
        add_wrapped(&ink, name.len, verbs[i]->summary);
    }
    ink_text(&ink, INK_BOLD, "\nOptions:\n");
    add_options(&ink, global_options);
    ink_text(&ink, INK_BOLD, "\nExit status:\n");
    for (size_t i = 0; i < ARRAY_LEN(exit_statuses); i++)
        ink_printf(&ink, INK_PLAIN, "  %s\n", exit_statuses[i]);
    ink_text(&ink, INK_PLAIN, "\nsalve COMMAND --help tells more about a command; salve list shows the playbooks.\n");
}

static int help_run(VerbContext *context, Err *err)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(1 << 20);
    if (context->arguments.n == 0) {
        help_of_program(context->colour, &text);
        return verb_print(&text, err);
    }
    const Verb *verb = verb_find(context->arguments.items[0]);
    if (!verb)
        return err_set(err, ERR_INVALID, "no command is called \"%s\"; salve --help lists them",
                       context->arguments.items[0]);
    help_of_verb(verb, context->colour, &text);
    return verb_print(&text, err);
}

const Verb verb_help = {
    .name = "help",
    .summary = "Explain a command.",
    .arguments = "[COMMAND]",
    .max_arguments = 1,
    .hidden = true,
    .plain = true,
    .run = help_run,
};
