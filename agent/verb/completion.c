/* SPDX-License-Identifier: Apache-2.0 */
/* Shell completion, made from the tables of verbs and options; installed by meson. What only the host knows (names of
 * playbooks, ids of runs) the scripts ask for with `salve completion playbooks` and `salve completion runs`
 * (verb/complete.c). */
#include <string.h>

#include "base/strbuf.h"
#include "verb/verb.h"

enum { SCRIPT_MAX = 1 << 20 };

/* How each shell finds the words of a kind. */
static const struct {
    const char *bash, *zsh, *fish;
} sources[] = {
    [COMPLETES_NOTHING] = {"", " ", "-x"},
    [COMPLETES_FILE] = {"compgen -f", "_files", "-r -F"},
    [COMPLETES_DIRECTORY] = {"compgen -d", "_files -/", "-x -a '(__fish_complete_directories)'"},
    [COMPLETES_PLAYBOOK] = {"compgen -W \"$(salve completion playbooks 2>/dev/null)\"",
                            "{compadd -- ${(f)\"$(salve completion playbooks 2>/dev/null)\"}}",
                            "-a '(salve completion playbooks 2>/dev/null)'"},
    [COMPLETES_RUN] = {"compgen -W \"$(salve completion runs 2>/dev/null)\"",
                       "{compadd -- ${(f)\"$(salve completion runs 2>/dev/null)\"}}",
                       "-x -a '(salve completion runs 2>/dev/null)'"},
    [COMPLETES_UNIT] = {"compgen -W \"$(systemctl list-units --type=service --all --plain --no-legend 2>/dev/null | "
                        "cut -d' ' -f1)\"",
                        "{compadd -- ${${(f)\"$(systemctl list-units --type=service --all --plain --no-legend "
                        "2>/dev/null)\"}%% *}}",
                        "-x -a '(systemctl list-units --type=service --all --plain --no-legend 2>/dev/null | "
                        "string split -f1 \" \")'"},
    [COMPLETES_COMMAND] = {"compgen -c", "_normal", "-x -a '(__fish_complete_command)'"},
};

typedef void EachOption(StrBuf *out, const Verb *verb, const Option *option);

static void each_option(StrBuf *out, const Verb *verb, const Option *options, EachOption *function)
{
    for (const Option *option = options; option && option->name; option++)
        function(out, verb, option);
}

static void add_choices(StrBuf *out, const Option *option)
{
    for (const char *const *choice = option->choices; *choice; choice++)
        strbuf_printf(out, "%s%s", choice == option->choices ? "" : " ", *choice);
}

/* A text inside '...': a quote ends the string, is added escaped, and opens it again; `special` gets a backslash. */
static void add_quoted(StrBuf *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            strbuf_add_str(out, "'\\''");
        else if (strchr(special, *text))
            strbuf_printf(out, "\\%c", *text);
        else
            strbuf_add_char(out, *text);
    }
}

/* bash: the names of options, and what follows those that take a value. */

static void bash_names(StrBuf *out, const Verb *verb, const Option *option)
{
    strbuf_printf(out, " --%s", option->name);
    if (option->letter)
        strbuf_printf(out, " -%c", option->letter);
}

static void bash_value(StrBuf *out, const Verb *verb, const Option *option)
{
    if (!option->argument)
        return;
    strbuf_printf(out, "    %s:--%s", verb ? verb->name : "*", option->name);
    if (option->letter)
        strbuf_printf(out, "|%s:-%c", verb ? verb->name : "*", option->letter);
    strbuf_add_str(out, ") ");
    if (option->choices) {
        strbuf_add_str(out, "COMPREPLY=($(compgen -W '");
        add_choices(out, option);
        strbuf_add_str(out, "' -- \"$cur\")); ");
    } else if (option->completes != COMPLETES_NOTHING) {
        strbuf_printf(out, "COMPREPLY=($(%s -- \"$cur\")); ", sources[option->completes].bash);
    }
    strbuf_add_str(out, "return ;;\n");
}

static void bash_skip(StrBuf *out, const Verb *verb, const Option *option)
{
    if (option->argument)
        strbuf_printf(out, "%s--%s", out->data[out->len - 1] == ' ' ? "" : "|", option->name);
}

static void bash_script(StrBuf *out)
{
    strbuf_add_str(out, "# bash completion for salve, made by: salve completion bash\n"
                        "_salve()\n{\n"
                        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= words= i\n"
                        "    COMPREPLY=()\n"
                        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                        "        case ${COMP_WORDS[i]} in\n"
                        "        ");
    each_option(out, NULL, global_options, bash_skip);
    strbuf_add_str(out, ") i=$((i + 1)) ;;\n"
                        "        -*) ;;\n"
                        "        *) verb=${COMP_WORDS[i]}; break ;;\n"
                        "        esac\n    done\n"
                        "    case $verb:$prev in\n");
    each_option(out, NULL, global_options, bash_value);
    for (size_t i = 0; verbs[i]; i++)
        each_option(out, verbs[i], verbs[i]->options, bash_value);
    strbuf_add_str(out, "    esac\n    case $verb:$cur in\n");
    for (size_t i = 0; verbs[i]; i++) {
        strbuf_printf(out, "    %s:-*) words='", verbs[i]->name);
        each_option(out, verbs[i], verbs[i]->options, bash_names);
        each_option(out, NULL, global_options, bash_names);
        strbuf_add_str(out, "' ;;\n");
        if (verbs[i]->completes != COMPLETES_NOTHING)
            strbuf_printf(out, "    %s:*) COMPREPLY=($(%s -- \"$cur\")); return ;;\n", verbs[i]->name,
                          sources[verbs[i]->completes].bash);
    }
    strbuf_add_str(out, "    :-*) words='");
    each_option(out, NULL, global_options, bash_names);
    strbuf_add_str(out, "' ;;\n    :*) words='");
    for (size_t i = 0; verbs[i]; i++)
        if (!verbs[i]->hidden)
            strbuf_printf(out, " %s", verbs[i]->name);
    strbuf_add_str(out, "' ;;\n    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
                        "complete -o filenames -F _salve salve\n");
}

/* zsh: specifications for _arguments(1). */

static void zsh_option(StrBuf *out, const Verb *verb, const Option *option)
{
    const char *more = option->kind == OPTION_KIND_LIST ? "*" : "";
    const char *names[] = {option->name, option->letter ? (char[]){option->letter, 0} : NULL};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!names[i])
            continue;
        strbuf_printf(out, " \\\n            '%s%s%s[", more, i == 0 ? "--" : "-", names[i]);
        add_quoted(out, option->help, "[]:\\");
        strbuf_add_char(out, ']');
        if (option->choices) {
            strbuf_printf(out, ":%s:(", option->argument);
            add_choices(out, option);
            strbuf_add_char(out, ')');
        } else if (option->argument) {
            strbuf_printf(out, ":%s:", option->argument);
            add_quoted(out, sources[option->completes].zsh, "");
        }
        strbuf_add_char(out, '\'');
    }
}

static void zsh_script(StrBuf *out)
{
    strbuf_add_str(out, "#compdef salve\n# zsh completion for salve, made by: salve completion zsh\n"
                        "_salve()\n{\n    local curcontext=$curcontext state line\n    local -a commands\n"
                        "    commands=(\n");
    for (size_t i = 0; verbs[i]; i++) {
        if (verbs[i]->hidden)
            continue;
        strbuf_printf(out, "        '%s:", verbs[i]->name);
        add_quoted(out, verbs[i]->summary, ":\\");
        strbuf_add_str(out, "'\n");
    }
    strbuf_add_str(out, "    )\n    _arguments -C");
    each_option(out, NULL, global_options, zsh_option);
    strbuf_add_str(out, " \\\n            '1:command:->command' '*::argument:->argument'\n"
                        "    case $state in\n    command) _describe command commands ;;\n"
                        "    argument)\n        case $words[1] in\n");
    for (size_t i = 0; verbs[i]; i++) {
        strbuf_printf(out, "        %s) _arguments", verbs[i]->name);
        each_option(out, verbs[i], verbs[i]->options, zsh_option);
        each_option(out, NULL, global_options, zsh_option);
        strbuf_add_str(out, " \\\n            '*:argument:");
        add_quoted(out, sources[verbs[i]->completes].zsh, "");
        strbuf_add_str(out, "' ;;\n");
    }
    strbuf_add_str(out, "        esac ;;\n    esac\n}\n_salve \"$@\"\n");
}

/* fish: one `complete` each. */

static void fish_option(StrBuf *out, const Verb *verb, const Option *option)
{
    strbuf_add_str(out, "complete -c salve");
    if (verb)
        strbuf_printf(out, " -n '__fish_seen_subcommand_from %s'", verb->name);
    strbuf_printf(out, " -l %s", option->name);
    if (option->letter)
        strbuf_printf(out, " -s %c", option->letter);
    if (option->choices) {
        strbuf_add_str(out, " -x -a '");
        add_choices(out, option);
        strbuf_add_char(out, '\'');
    } else if (option->argument) {
        strbuf_printf(out, " %s", sources[option->completes].fish);
    }
    strbuf_add_str(out, " -d '");
    add_quoted(out, option->help, "");
    strbuf_add_str(out, "'\n");
}

static void fish_script(StrBuf *out)
{
    strbuf_add_str(out, "# fish completion for salve, made by: salve completion fish\n");
    each_option(out, NULL, global_options, fish_option);
    for (size_t i = 0; verbs[i]; i++) {
        const Verb *verb = verbs[i];
        if (!verb->hidden) {
            strbuf_printf(out, "complete -c salve -n __fish_use_subcommand -f -a %s -d '", verb->name);
            add_quoted(out, verb->summary, "");
            strbuf_add_str(out, "'\n");
        }
        each_option(out, verb, verb->options, fish_option);
        if (verb->completes == COMPLETES_NOTHING)
            strbuf_printf(out, "complete -c salve -n '__fish_seen_subcommand_from %s' -f\n", verb->name);
        else
            strbuf_printf(out, "complete -c salve -n '__fish_seen_subcommand_from %s' %s\n", verb->name,
                          sources[verb->completes].fish);
    }
}

static const struct {
    const char *shell;
    void (*script)(StrBuf *out);
} shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

int completion_script(const char *shell, StrBuf *out, Err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        if (str_equal(shells[i].shell, shell)) {
            shells[i].script(out);
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "no completion for \"%s\": it is one of bash, zsh, fish", shell);
}
