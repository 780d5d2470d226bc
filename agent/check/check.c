/* SPDX-License-Identifier: Apache-2.0 */
#include "check/check.h"

#include "check/kinds.h"

const CheckKind *const check_kinds[] = {
    &check_http, &check_journal, &check_log, &check_unit, NULL,
};

static const char *const verdict_names[VERDICT_COUNT] = {
    [VERDICT_PASS] = "pass",
    [VERDICT_UNDECIDED] = "undecided",
    [VERDICT_BLIND] = "blind",
    [VERDICT_FAIL] = "fail",
};

const char *const check_baseline_choices[] = {
    [CHECK_MAY_FAIL] = "may_fail", [CHECK_MUST_OBSERVE] = "must_observe", [CHECK_MUST_PASS] = "must_pass", NULL};
const char *const check_when_absent_choices[] = {[CHECK_ABSENT_REFUSE] = "refuse", [CHECK_ABSENT_SKIP] = "skip", NULL};

const char *verdict_to_string(Verdict verdict)
{
    return verdict_names[verdict];
}

int verdict_from_string(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(verdict_names); i++) {
        if (str_equal(verdict_names[i], text))
            return (int)i;
    }
    return str_equal(text, "inconclusive") ? VERDICT_BLIND : -1;
}

const CheckKind *check_kind_find(const char *name)
{
    for (size_t i = 0; check_kinds[i]; i++) {
        if (str_equal(check_kinds[i]->name, name))
            return check_kinds[i];
    }
    return NULL;
}

bool check_file_is_absent(View *view, const char *path)
{
    const FileState *state;
    const char *target;
    Err ignored;
    return view_resolve(view, path, &target, &ignored) >= 0 && view_get(view, target, &state, &ignored) >= 0 &&
           state->type == FILE_ABSENT;
}
