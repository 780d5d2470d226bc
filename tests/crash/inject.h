/* SPDX-License-Identifier: Apache-2.0 */
/* Counting, failing and killing at durable operations.
 *
 * interpose.c stands between the agent and its libraries on one side and libc on the other, so that SQLite's and
 * libgit2's operations are reached as well as salve's own. An operation counts when it concerns a file of the simulated
 * host; a job of systemd counts too, as a moment at which salve may die. */
#pragma once

#include "sim.h"

/* From now on this process's operations count; its root is the simulated host's, on this device. */
void inject_arm(dev_t device);
/* What the simulation itself does in between does not count. */
void inject_suspend(void);
void inject_resume(void);
bool inject_armed(void);
bool inject_is_ours(int fd);

/* 0, or the errno with which the operation is to fail. takes_room: a full disk would stop it. */
int inject_before(const char *operation, const char *path, bool takes_room);
void inject_after(void);
/* Whether this file cannot be read now. */
bool inject_read_fails(int fd);
bool inject_look_fails(ino_t file);

/* Whether this allocation is the one to fail (interpose-memory.c asks for each). */
bool inject_allocation_fails(size_t size);
