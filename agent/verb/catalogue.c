/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/catalogue.h"

int catalogue_words(VerbContext *context, StrBuf *out, Err *err)
{
    (void)context;
    (void)out;
    (void)err;
    return 0;
}

int catalogue_runs(VerbContext *context, StrBuf *out, Err *err)
{
    (void)context;
    (void)out;
    (void)err;
    return 0;
}
