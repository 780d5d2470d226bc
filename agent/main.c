/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "verb/verb.h"

/* A descriptor that is closed when the program starts is the next one that open() gives away: what is said to people
 * would be written into the ledger or the lock. Without /dev/null there is no safe way to go on. */
static void open_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd)
            _exit(1);
    }
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    return verb_main(argc, argv);
}
