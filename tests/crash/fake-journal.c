/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal is told is counted on its way (linker: --wrap): somebody is woken by it. */
#include <syslog.h>

#include "host/journal.h"
#include "sim.h"

void __real_journal_tell(int priority, const char *run, const char *message);
void __wrap_journal_tell(int priority, const char *run, const char *message);

void __wrap_journal_tell(int priority, const char *run, const char *message)
{
    sim->cries += priority == LOG_CRIT;
    __real_journal_tell(priority, run, message);
}
