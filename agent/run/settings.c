/* SPDX-License-Identifier: Apache-2.0 */
#include "run/settings.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "config.h"
#include "data/yaml.h"
#include "host/trust.h"

typedef struct KeepFile {
    Value runs, days;
} KeepFile;

typedef struct SettingsFile {
    Value state;
    ValueVec playbooks, templates, managed_roots;
    KeepFile *keep;
    Value color;
} SettingsFile;

/* A run of three small files takes some 50 KiB with its snapshot, so this is 25 MiB. */
enum { KEEP_RUNS = 500, KEEP_DAYS = 365 };

static const Field keep_fields[] = {
    FIELD_INT(KeepFile, runs, .default_text = "500", .min = "1", .max = "1000000", .allow_never = true,
              .help = "How many runs are remembered; never: none is forgotten for their number."),
    FIELD_INT(KeepFile, days, .default_text = "365", .min = "1", .max = "100000", .allow_never = true,
              .help = "For how long, counted back from the 50th newest run; never: none is forgotten for its age."),
    FIELDS_END,
};

static const StructType keep_type = {
    .name = "keep",
    .help = "What history keeps.",
    .fields = keep_fields,
    .size = sizeof(KeepFile),
};

static const char *const colors[] = {"auto", "always", "never", NULL};

static const Field settings_fields[] = {
    FIELD_PATH(SettingsFile, state, .default_text = "/var/lib/salve",
               .help = "Where the ledger and the snapshots are kept."),
    FIELD_LIST(SettingsFile, playbooks, VALUE_PATH, .help = "Directories with playbooks, searched in this order."),
    FIELD_LIST(SettingsFile, templates, VALUE_PATH, .help = "Directories with templates, searched in this order."),
    FIELD_LIST(SettingsFile, managed_roots, VALUE_PATH,
               .help = "Directories below which `template` and `symlink` may write."),
    FIELD_STRUCT(SettingsFile, keep, &keep_type,
                 .help = "Which runs are remembered, besides those that are still needed."),
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

/* What was given, else the built-in list; with a NULL behind the end. */
static StringVec given_or(Arena *arena, const ValueVec *given, const char *const *defaults)
{
    StringVec strings = {0};
    VEC_EACH (value, given)
        *vec_push(arena, &strings) = value->text;
    for (size_t i = 0; given->n == 0 && defaults[i]; i++)
        *vec_push(arena, &strings) = defaults[i];
    *vec_push(arena, &strings) = NULL;
    strings.n--;
    return strings;
}

static Retention retention(const KeepFile *keep)
{
    int64_t runs = keep ? keep->runs.integer : KEEP_RUNS, days = keep ? keep->days.integer : KEEP_DAYS;
    return (Retention){.runs = runs, .age_usec = days == INT64_MAX ? USEC_INFINITY : (usec)days * 24 * USEC_PER_HOUR};
}

static void fill(Arena *arena, const SettingsFile *file, Settings *ret)
{
    *ret = (Settings){
        .state_dir = value_is_set(&file->state) ? file->state.text : "/var/lib/salve",
        .runtime_dir = "/run/salve",
        .root = "",
        .playbook_dirs = given_or(arena, &file->playbooks, default_playbooks).items,
        .template_dirs = given_or(arena, &file->templates, default_templates),
        .managed_roots = given_or(arena, &file->managed_roots, default_roots),
        .keep = retention(file->keep),
        .color = value_is_set(&file->color) ? file->color.text : "auto",
    };
}

void settings_defaults(Arena *arena, Settings *ret)
{
    fill(arena, &(SettingsFile){0}, ret);
}

/* They say where root finds what it runs. */
static int read_file(Arena *arena, const char *path, Diagnostics *diags, Node **ret, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    Bytes text = BYTES("");
    int r = trusted_open("", path, &fd, err);
    if (r >= 0)
        r = yaml_read(arena, fd, path, &text, err);
    if (r < 0)
        return r;
    r = yaml_parse(arena, path, text, diags, ret);
    return r < 0 ? diagnostics_to_err(diags, err) : 0;
}

int settings_load(Arena *arena, const char *path, Diagnostics *diags, Settings *ret, Err *err)
{
    SettingsFile file = {0};
    if (path || access(SETTINGS_PATH, F_OK) == 0) {
        Node *root;
        Decoder decoder = {.arena = arena, .diags = diags};
        int r = read_file(arena, path ? path : SETTINGS_PATH, diags, &root, err);
        if (r < 0)
            return r;
        if (!decode_struct(&decoder, &settings_type, root, &file))
            return diagnostics_to_err(diags, err);
    }
    fill(arena, &file, ret);
    return 0;
}
