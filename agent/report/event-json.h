/* SPDX-License-Identifier: Apache-2.0 */
/* An event from its line of JSON (json_of_event, report/record-json.h): what a trail holds becomes a stream again. */
#pragma once

#include "data/node.h"
#include "run/event.h"

/* Fills *ret, whose texts live as long as the tree. ERR_INVALID: the object is no event. */
int event_from_json(const Node *map, Event *ret, Err *err);
