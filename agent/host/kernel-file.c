/* SPDX-License-Identifier: Apache-2.0 */
#include "host/kernel-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/cleanup.h"

int kernel_file_read(Arena *arena, Bytes *ret_content, Err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *path = arena_vprintf(arena, format, args);
    va_end(args);
    CLEANUP(strbuf_free) StrBuf content = STRBUF_INIT(64 << 20);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char chunk[16384];
    ssize_t n = fd;
    while (fd >= 0 && ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))) {
        if (n > 0)
            strbuf_add(&content, chunk, (size_t)n);
    }
    if (n < 0)
        return err_errno(err, errno == ESRCH ? ENOENT : errno, "%s", path);
    *ret_content = strbuf_bytes(arena, &content);
    return 0;
}
