/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of base/clock.h, put forward by what has been waited for; the linker wraps the three functions. */
#include "sim.h"

usec __real_clock_realtime(void);
usec __real_clock_monotonic(void);
usec __real_clock_boottime(void);
usec __wrap_clock_realtime(void);
usec __wrap_clock_monotonic(void);
usec __wrap_clock_boottime(void);

usec __wrap_clock_realtime(void)
{
    return __real_clock_realtime() + sim->skew;
}

usec __wrap_clock_monotonic(void)
{
    return __real_clock_monotonic() + sim->skew;
}

usec __wrap_clock_boottime(void)
{
    return __real_clock_boottime() + sim->skew;
}
