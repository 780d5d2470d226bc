/* SPDX-License-Identifier: Apache-2.0 */
#include "run/settings.h"

#include <unistd.h>

#include "config.h"
#include "data/yaml.h"

typedef struct SettingsFile {
    Value state;
    ValueVec playbooks, templates, managed_roots;
    Value color;
} SettingsFile;

static const char *const colors[] = {"auto", "always", "never", NULL};

static const Field settings_fields[] = {
    FIELD_PATH(SettingsFile, state, .default_text = "/var/lib/salve",
               .help = "Where the ledger and the snapshots are kept."),
    FIELD_LIST(SettingsFile, playbooks, VALUE_PATH, .help = "Directories with playbooks, searched in this order."),
    FIELD_LIST(SettingsFile, templates, VALUE_PATH, .help = "Directories with templates, searched in this order."),
    FIELD_LIST(SettingsFile, managed_roots, VALUE_PATH,
               .help = "Directories below which `template` and `symlink` may write."),
    FIELD_ENUM(SettingsFile, color, colors, .default_text = "auto", .help = "Colour in the output."),
    FIELDS_END,
};

const StructType settings_type = {
    .name = "settings",
    .help = "The settings of salve on a host.",
    .fields = settings_fields,
    .size = sizeof(SettingsFile),
};

static const char *const default_playbooks[] = {"/etc/salve/playbooks", SALVE_DATA_DIR "/playbooks", NULL};
static const char *const default_templates[] = {"/etc/salve/templates", SALVE_DATA_DIR "/templates", NULL};
/* Where the configuration of the stack lives on Debian and its relatives. */
static const char *const default_roots[] = {"/etc/nginx",      "/etc/systemd/system", "/etc/gunicorn",
                                            "/etc/gunicorn.d", "/etc/default",        NULL};

static StringVec strings_of(Arena *arena, const char *const *list)
{
    StringVec strings = {0};
    for (; *list; list++)
        *vec_push(arena, &strings) = *list;
    return strings;
}

static StringVec strings_or(Arena *arena, const ValueVec *given, StringVec defaults)
{
    StringVec strings = {0};
    VEC_EACH (value, given) {
        *vec_push(arena, &strings) = value->text;
    }
    return strings.n ? strings : defaults;
}

void settings_defaults(Arena *arena, Settings *ret)
{
    *ret = (Settings){
        .state_dir = "/var/lib/salve",
        .root = "",
        .playbook_dirs = strings_of(arena, default_playbooks),
        .template_dirs = strings_of(arena, default_templates),
        .managed_roots = strings_of(arena, default_roots),
        .color = "auto",
    };
}

int settings_load(Arena *arena, const char *path, Diagnostics *diags, Settings *ret, Err *err)
{
    settings_defaults(arena, ret);
    if (!path && access(SETTINGS_PATH, F_OK) < 0)
        return 0;
    Node *root;
    int r = yaml_load(arena, path ? path : SETTINGS_PATH, diags, &root, err);
    if (r < 0)
        return r;
    SettingsFile file;
    Decoder decoder = {.arena = arena, .diags = diags};
    if (!decode_struct(&decoder, &settings_type, root, &file))
        return diagnostics_to_err(diags, err);
    ret->state_dir = file.state.text;
    ret->playbook_dirs = strings_or(arena, &file.playbooks, ret->playbook_dirs);
    ret->template_dirs = strings_or(arena, &file.templates, ret->template_dirs);
    ret->managed_roots = strings_or(arena, &file.managed_roots, ret->managed_roots);
    ret->color = file.color.text;
    return 0;
}
