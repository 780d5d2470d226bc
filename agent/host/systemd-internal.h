/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind host/systemd.h share; nobody else includes this. */
#pragma once

#include "host/bus.h"
#include "host/systemd.h"

/* The a(sv) of StartTransientUnit. */
BusValue unit_properties_encode(Arena *arena, const UnitPropertyVec *properties);
