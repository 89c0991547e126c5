/*
 * Records what a process does to the files below a folder, in order: what is written, what is synced, what is named.
 * Loaded with LD_PRELOAD; OFFDESK_SHIM_ROOT is the folder, OFFDESK_SHIM_LOG the file of the recording.
 *
 * A record is five little-endian numbers (u32 kind, u32 path length, u64 number, u64 data length), the path and the
 * data. Every call still takes place; a lock keeps calls and records in one order. A sync is recorded when it begins
 * and when it ends, since it covers only what was written before it began.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE = 2, SYNC_BEGIN = 3, SYNC_END = 4, CREATE = 5, RENAME = 6, UNLINK = 7, MKDIR = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[4096];
static size_t root_len;
static uint64_t syncs;

__attribute__((constructor)) static void start(void) {
    const char *dir = getenv("OFFDESK_SHIM_ROOT"), *log = getenv("OFFDESK_SHIM_LOG");
    if (!dir || !log || strlen(dir) >= sizeof root) return;
    strcpy(root, dir);
    root_len = strlen(root);
    log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int below(const char *path) {
    return log_fd >= 0 && strncmp(path, root, root_len) == 0 && path[root_len] == '/';
}

/* Whether a descriptor is a file of ours; its path goes to `path`. */
static int ours(int fd, char *path) {
    char link[64];
    if (log_fd < 0 || fd == log_fd) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = syscall(SYS_readlinkat, AT_FDCWD, link, path, 4095);
    if (len <= 0) return 0;
    path[len] = 0;
    return below(path);
}

static void put(const void *data, size_t len) {
    const char *at = data;
    while (len > 0) {
        ssize_t done = syscall(SYS_write, log_fd, at, len);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) abort();
        at += done;
        len -= done;
    }
}

static void record(uint32_t kind, const char *path, uint64_t number, const void *data, uint64_t len) {
    uint32_t path_len = strlen(path);
    char head[24];
    memcpy(head, &kind, 4);
    memcpy(head + 4, &path_len, 4);
    memcpy(head + 8, &number, 8);
    memcpy(head + 16, &len, 8);
    put(head, sizeof head);
    put(path, path_len);
    put(data, len);
}

/* What was written starts at `offset`, or where the file stood before if that is negative. */
static void written(int fd, const char *path, const void *data, ssize_t done, off_t offset) {
    if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - done;
    record(WRITE, path, offset, data, done);
}

ssize_t write(int fd, const void *data, size_t len) {
    char path[4096];
    if (!ours(fd, path)) return syscall(SYS_write, fd, data, len);
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_write, fd, data, len);
    int error = errno;
    if (done > 0) written(fd, path, data, done, -1);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    char path[4096];
    if (!ours(fd, path)) return syscall(SYS_pwrite64, fd, data, len, offset);
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_pwrite64, fd, data, len, offset);
    int error = errno;
    if (done > 0) written(fd, path, data, done, offset);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset) { return pwrite(fd, data, len, offset); }

/* A vector is written piece by piece: to the caller a short write, which it has to expect. */
ssize_t writev(int fd, const struct iovec *pieces, int count) {
    char path[4096];
    if (!ours(fd, path)) return syscall(SYS_writev, fd, pieces, count);
    return count > 0 ? write(fd, pieces[0].iov_base, pieces[0].iov_len) : 0;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
    char path[4096];
    if (!ours(fd, path)) return syscall(SYS_pwritev, fd, pieces, count, offset, 0);
    return count > 0 ? pwrite(fd, pieces[0].iov_base, pieces[0].iov_len, offset) : 0;
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset) {
    return pwritev(fd, pieces, count, offset);
}

int ftruncate(int fd, off_t len) {
    char path[4096];
    if (!ours(fd, path)) return syscall(SYS_ftruncate, fd, len);
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_ftruncate, fd, len);
    if (result == 0) record(TRUNCATE, path, len, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off_t len) { return ftruncate(fd, len); }

static int sync_with(long call, int fd) {
    char path[4096];
    if (!ours(fd, path)) return syscall(call, fd);
    pthread_mutex_lock(&lock);
    uint64_t number = syncs++;
    record(SYNC_BEGIN, path, number, "", 0);
    pthread_mutex_unlock(&lock);
    int result = syscall(call, fd);
    if (result == 0) {
        pthread_mutex_lock(&lock);
        record(SYNC_END, path, number, "", 0);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }
/* sync_file_range is left alone: it makes nothing durable, and so it is not recorded. */

static int open_at(int dir, const char *name, int flags, mode_t mode) {
    if (!(flags & (O_CREAT | O_TRUNC)) || log_fd < 0) return syscall(SYS_openat, dir, name, flags, mode);
    pthread_mutex_lock(&lock);
    int fd = syscall(SYS_openat, dir, name, flags, mode);
    int error = errno;
    char path[4096];
    if (fd >= 0 && ours(fd, path)) record(CREATE, path, (flags & O_TRUNC) != 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE_OF(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, last); mode = va_arg(more, int); va_end(more); }

int open(const char *name, int flags, ...) { MODE_OF(flags, flags) return open_at(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE_OF(flags, flags) return open_at(AT_FDCWD, name, flags, mode); }
int openat(int dir, const char *name, int flags, ...) { MODE_OF(flags, flags) return open_at(dir, name, flags, mode); }
int openat64(int dir, const char *name, int flags, ...) { MODE_OF(flags, flags) return open_at(dir, name, flags, mode); }

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    int error = errno;
    if (result == 0 && below(from)) record(RENAME, from, 0, to, strlen(to));
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int error = errno;
    if (result == 0 && below(path)) record(UNLINK, path, 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int mkdir(const char *path, mode_t mode) {
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    int error = errno;
    if (result == 0 && below(path)) record(MKDIR, path, 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
