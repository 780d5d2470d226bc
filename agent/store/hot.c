/* SPDX-License-Identifier: Apache-2.0 */
#include "store/hot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/files.h"
#include "base/hash.h"

enum { SLOT_SIZE = 4096, SLOTS = 2, HASH_HEX = 64 };

/* A slot is text, so that a person can read it with cat, padded with newlines:
 *
 *     salve hot 1
 *     <sha256 of all that follows up to and with the empty line>
 *     sequence 7 / run ... / commit ... / boot ... / phase ... / attempts ... / deadline ... / program ...   (a line
 * each) (empty line)  */
static const char magic[] = "salve hot 1\n";

typedef struct Slot {
    Hot hot;
    unsigned long sequence; /* 0: the slot holds nothing sound */
} Slot;

static const char *const phases[HOT_PHASE_COUNT] = {
    [HOT_APPLYING] = "applying",       [HOT_ROLLING_BACK] = "rolling-back", [HOT_RESTORED] = "restored",
    [HOT_ROLLED_BACK] = "rolled-back", [HOT_REFUSED] = "refused",
};

const char *hot_phase_to_string(HotPhase phase)
{
    return phases[phase];
}

static void print_slot(Arena *arena, const Hot *hot, unsigned long sequence, char out[SLOT_SIZE])
{
    char *body = arena_printf(
        arena, "sequence %lu\nrun %s\ncommit %s\nboot %s\nphase %s\nattempts %u\ndeadline %llu\nprogram %s\n\n",
        sequence, hot->run_id, hot->commit, hot->boot_id, phases[hot->phase], hot->attempts,
        (unsigned long long)hot->deadline, hot->program);
    char *hash = hash_to_hex(arena, hash_of(body, strlen(body)));
    memset(out, '\n', SLOT_SIZE);
    char *text = arena_printf(arena, "%s%s\n%s", magic, hash, body);
    memcpy(out, text, strlen(text));
}

/* The value of the line that begins with the key and a blank; false where it is missing or too long. */
static bool parse_line(const char *body, const char *key, char *ret, size_t size)
{
    size_t len = strlen(key);
    for (const char *line = body; *line && *line != '\n'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, key, len) != 0 || line[len] != ' ')
            continue;
        size_t value = strcspn(line + len + 1, "\n");
        if (value >= size)
            return false;
        memcpy(ret, line + len + 1, value);
        ret[value] = '\0';
        return true;
    }
    return false;
}

static bool parse_number(const char *body, const char *key, unsigned long long *ret)
{
    char text[24], *end;
    if (!parse_line(body, key, text, sizeof text) || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool parse_phase(const char *body, HotPhase *ret)
{
    char phase[32];
    if (!parse_line(body, "phase", phase, sizeof phase))
        return false;
    for (int i = 0; i < HOT_PHASE_COUNT; i++) {
        if (str_equal(phases[i], phase)) {
            *ret = (HotPhase)i;
            return true;
        }
    }
    return false;
}

static bool parse_body(const char *body, Slot *slot)
{
    Hot *hot = &slot->hot;
    unsigned long long sequence, attempts, deadline;
    if (!parse_number(body, "sequence", &sequence) || !parse_line(body, "run", hot->run_id, sizeof hot->run_id) ||
        !parse_line(body, "commit", hot->commit, sizeof hot->commit) ||
        !parse_line(body, "boot", hot->boot_id, sizeof hot->boot_id) || !parse_phase(body, &hot->phase) ||
        !parse_number(body, "attempts", &attempts) || !parse_number(body, "deadline", &deadline) ||
        !parse_line(body, "program", hot->program, sizeof hot->program))
        return false;
    slot->sequence = (unsigned long)sequence;
    hot->attempts = (unsigned)attempts;
    hot->deadline = deadline;
    return slot->sequence > 0;
}

static Slot parse_slot(Arena *arena, const char *data)
{
    Slot slot = {0};
    char *text = arena_strndup(arena, data, SLOT_SIZE);
    size_t head = sizeof magic - 1;
    const char *body = text + head + HASH_HEX + 1;
    const char *end = str_starts(text, magic) && strlen(text) == SLOT_SIZE ? strstr(body, "\n\n") : NULL;
    if (!end)
        return slot;
    char *hash = hash_to_hex(arena, hash_of(body, (size_t)(end + 2 - body)));
    if (strncmp(text + head, hash, HASH_HEX) != 0 || !parse_body(body, &slot))
        return (Slot){0};
    return slot;
}

/* The newest sound slot; sequence 0: none. *ret_at is its index. */
static Slot newest(Arena *arena, const char data[SLOT_SIZE * SLOTS], size_t *ret_at)
{
    Slot best = {0};
    *ret_at = SLOTS - 1;
    for (size_t i = 0; i < SLOTS; i++) {
        Slot slot = parse_slot(arena, data + i * SLOT_SIZE);
        if (slot.sequence > best.sequence) {
            best = slot;
            *ret_at = i;
        }
    }
    return best;
}

static int read_all(int fd, const char *path, char data[SLOT_SIZE * SLOTS], Err *err)
{
    memset(data, 0, SLOT_SIZE * SLOTS);
    for (size_t done = 0; done < SLOT_SIZE * SLOTS;) {
        ssize_t n = pread(fd, data + done, SLOT_SIZE * SLOTS - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, errno, "cannot read %s", path);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return 0;
}

static int create(Arena *arena, const char *path, const Hot *hot, Err *err)
{
    char data[SLOT_SIZE * SLOTS];
    memset(data, '\n', sizeof data);
    print_slot(arena, hot, 1, data);
    return files_write(path, 0600, (Bytes){data, sizeof data}, err);
}

static int overwrite(Arena *arena, int fd, const char *path, const Hot *hot, Err *err)
{
    char data[SLOT_SIZE * SLOTS];
    size_t at;
    int r = read_all(fd, path, data, err);
    if (r < 0)
        return r;
    Slot old = newest(arena, data, &at);
    char slot[SLOT_SIZE];
    print_slot(arena, hot, old.sequence + 1, slot);
    int fault = fault_point("hot", path);
    if (fault)
        return err_errno(err, fault, "cannot write %s", path);
    if (pwrite(fd, slot, sizeof slot, (off_t)((at + 1) % SLOTS * SLOT_SIZE)) != (ssize_t)sizeof slot ||
        fdatasync(fd) < 0)
        return err_errno(err, errno ? errno : EIO, "cannot write %s", path);
    return 0;
}

/* HOT_NONE: it is not there. ERR_DAMAGED: what has its name is no file, and holds no run. Does not wait. */
static int open_hot(const char *path, int flags, int *ret_fd, Err *err)
{
    FileState found;
    int r = file_stat("", path, &found, err);
    if (r < 0)
        return r;
    if (found.type == FILE_ABSENT)
        return HOT_NONE;
    if (found.type != FILE_REGULAR)
        return err_set(err, ERR_DAMAGED, "%s is a %s, not a file", path, file_type_to_string(found.type));
    *ret_fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*ret_fd < 0)
        return errno == ENOENT ? HOT_NONE : err_errno(err, errno, "cannot open %s", path);
    return 0;
}

int hot_write(const char *state_dir, const Hot *hot, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/hot", state_dir);
    CLEANUP(fd_close) int fd = -1;
    int r = open_hot(path, O_RDWR, &fd, err);
    if (r == -ERR_DAMAGED && (r = files_set_aside(path, NULL, err)) >= 0)
        r = HOT_NONE;
    if (r < 0)
        return r;
    return r == HOT_NONE ? create(arena, path, hot, err) : overwrite(arena, fd, path, hot, err);
}

int hot_read(const char *state_dir, Hot *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/hot", state_dir);
    CLEANUP(fd_close) int fd = -1;
    char data[SLOT_SIZE * SLOTS];
    size_t at;
    int r = open_hot(path, O_RDONLY, &fd, err);
    if (r != 0 || (r = read_all(fd, path, data, err)) < 0)
        return r;
    Slot slot = newest(arena, data, &at);
    if (slot.sequence == 0)
        return err_set(err, ERR_DAMAGED, "%s is damaged: both of its copies", path);
    *ret = slot.hot;
    return 0;
}

int hot_remove(const char *state_dir, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(fd_close) int fd = -1;
    const char *path = arena_printf(arena, "%s/hot", state_dir);
    int r = open_hot(path, O_RDONLY, &fd, err);
    r = r == -ERR_DAMAGED ? files_set_aside(path, NULL, err) : files_unlink(path, err);
    return r > 0 ? HOT_NONE : r;
}

int hot_boot_id(char ret[37], Err *err)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, 36);
    if (n != 36)
        return err_errno(err, errno ? errno : EIO, "cannot read %s", path);
    ret[36] = '\0';
    return 0;
}
