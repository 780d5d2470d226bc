/* SPDX-License-Identifier: Apache-2.0 */
/* A private copy of the host for a program that judges files which others can write: it reads everything, and what it
 * writes is gone with it.
 *
 * Over each mounted file system lies an overlay whose upper layer is a tmpfs; where the kernel lays none, the file
 * system is read-only. Kernel interfaces (/proc, /sys) are read-only, /dev has the few devices without effect, and
 * sockets lead nowhere but to the services that answer questions about names. The network is the host's. */
#pragma once

#include "base/err.h"

/* For a child before it executes its program: after it, "/" is the copy. `scratch` is an empty directory of root's that
 * nobody else can enter. ERR_REFUSED: this kernel or container does not let us; the child must not go on. */
int sandbox_enter(const char *scratch, Err *err);

/* Gives up every capability but those for reading and writing files of others (which are copies), and for binding low
 * ports; the program that is executed next can gain none. */
int sandbox_drop_rights(Err *err);
