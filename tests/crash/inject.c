/* SPDX-License-Identifier: Apache-2.0 */
#include "inject.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static dev_t device;
static bool armed;
static int suspended;

void inject_arm(dev_t of)
{
    device = of;
    armed = true;
}

void inject_suspend(void)
{
    suspended++;
}

void inject_resume(void)
{
    suspended--;
}

bool inject_armed(void)
{
    return armed && suspended == 0;
}

bool inject_is_ours(int fd)
{
    struct stat st;
    return inject_armed() && fd > STDERR_FILENO && fstat(fd, &st) == 0 && st.st_dev == device &&
           (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static bool strikes(const Fault *fault)
{
    unsigned long reached = sim->injector.reached;
    return fault->kind != FAULT_NONE && fault->kind != FAULT_NO_MEMORY &&
           (fault->lasting ? reached >= fault->at : reached == fault->at);
}

static void note(const char *operation, const char *path)
{
    if (!sim->injector.where[0])
        snprintf(sim->injector.where, sizeof sim->injector.where, "%s %s", operation, path);
}

int inject_before(const char *operation, const char *path, bool takes_room)
{
    static const int errnums[FAULT_KIND_COUNT] = {[FAULT_ENOSPC] = ENOSPC, [FAULT_EIO] = EIO, [FAULT_EROFS] = EROFS};
    Injector *injector = &sim->injector;
    if (injector->stranger) {
        inject_suspend();
        injector->stranger(operation, path);
        inject_resume();
    }
    injector->reached++;
    injector->managed += strncmp(path, "/etc/", 5) == 0;
    if (injector->listing)
        dprintf(STDERR_FILENO, "%lu %s %s\n", injector->reached, operation, path);
    if (!strikes(&injector->fault))
        return 0;
    note(operation, path);
    if (injector->fault.kind == FAULT_KILL_BEFORE)
        die();
    /* A disk that stays full still renames, removes, syncs and overwrites; a single ENOSPC may come from anything. */
    if (injector->fault.kind == FAULT_ENOSPC && injector->fault.lasting && !takes_room)
        return 0;
    return errnums[injector->fault.kind];
}

void inject_after(void)
{
    if (sim->injector.fault.kind == FAULT_KILL_AFTER && strikes(&sim->injector.fault))
        die();
}

bool inject_look_fails(ino_t file)
{
    Injector *injector = &sim->injector;
    if (!inject_armed() || injector->unreadable_times == 0 || file != injector->unreadable)
        return false;
    injector->unreadable_times--;
    note("read", "of a bad sector");
    if (injector->unreadable_kills)
        die();
    return true;
}

bool inject_read_fails(int fd)
{
    struct stat st;
    return inject_armed() && sim->injector.unreadable_times > 0 && fstat(fd, &st) == 0 && inject_look_fails(st.st_ino);
}

bool inject_allocation_fails(size_t size)
{
    if (!inject_armed())
        return false;
    Injector *injector = &sim->injector;
    injector->allocations++;
    if (injector->fault.kind != FAULT_NO_MEMORY || injector->allocations != injector->fault.at)
        return false;
    snprintf(injector->where, sizeof injector->where, "%zu bytes", size);
    return true;
}
