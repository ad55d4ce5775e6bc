/*
 * Stands between a process and its disk (LD_PRELOAD), for the files below one folder:
 *
 * - Faults, as a page that another process writes says: errors and delays of write and fsync, short writes.
 * - A journal, if one is named, of what a power failure would take: up to where each file was synced, and which names
 *   were made, replaced and removed since their directory was synced. What a rename replaces and what an unlink
 *   removes is kept by a hard link until then, so that lost-power.ts can undo it.
 *
 * The model of the disk is the strictest that POSIX allows: a file's fsync says nothing about its name, and only what
 * was written before the fsync was called is safe. Files are taken to be append-only, as logs and LevelDB's are.
 *
 *   CHAOS_FOLDER   the folder, without a slash at its end
 *   CHAOS_CONTROL  the page (see struct control)
 *   CHAOS_JOURNAL  the journal, appended to; absent: none is kept
 *   CHAOS_KEPT     a folder on the same file system for the hard links
 *
 * Lines of the journal, fields separated by tabs:
 *   S inode bytes   everything up to there is safe        C path inode    a file was created
 *   T inode bytes   truncated                             M path          a directory was made
 *   D path          the names in a directory are safe     U path kept     a file was removed
 *   X path          a directory was removed               R from to kept  renamed; kept: what it replaced, or -
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
    int32_t write_error;    /* errno of every write, 0 for none */
    int32_t sync_error;     /* of every fsync and fdatasync */
    int32_t write_delay_ms;
    int32_t sync_delay_ms;
    int32_t short_writes;   /* every so many-th write does only half, 0 for none */
    int32_t injected;       /* how often any of these took effect */
};

static struct control none;
static volatile struct control *control = &none;
static const char *folder, *kept;
static size_t folder_length;
static int journal = -1;
static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER;

static void set_up(void) {
    static int done;
    if (done) return;
    done = 1;
    folder = getenv("CHAOS_FOLDER");
    if (folder == NULL) return;
    folder_length = strlen(folder);
    const char *page = getenv("CHAOS_CONTROL");
    int fd = page == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, page, O_RDWR | O_CLOEXEC, 0);
    if (fd >= 0) {
        void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED) control = mapped;
        syscall(SYS_close, fd);
    }
    const char *path = getenv("CHAOS_JOURNAL");
    kept = getenv("CHAOS_KEPT");
    if (path != NULL && kept != NULL)
        journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((constructor)) static void begin(void) { set_up(); }

#define NEXT(type, name, ...)                                          \
    static type (*next)(__VA_ARGS__);                                  \
    if (next == NULL) {                                                \
        set_up();                                                      \
        next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name);           \
    }

static int below(const char *path) {
    return folder != NULL && path != NULL && strncmp(path, folder, folder_length) == 0 && path[folder_length] == '/';
}

/* The path behind a descriptor, if it lies below the folder. */
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = folder == NULL ? -1 : readlink(link, path, PATH_MAX - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return below(path) || strcmp(path, folder) == 0;
}

static void wait_ms(int32_t ms) {
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) continue;
}

static void count(void) { __atomic_add_fetch(&control->injected, 1, __ATOMIC_RELAXED); }

static void note(const char *format, ...) {
    char line[3 * PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    int error = errno;
    if (syscall(SYS_write, journal, line, (size_t)n) != n) abort(); /* without it no statement could be checked */
    errno = error;
}

/* ---- writes and syncs ---- */

/* -1: failed with errno set; else how many of the bytes may be written. */
static ssize_t before_write(int fd, size_t bytes) {
    if (control->write_error == 0 && control->write_delay_ms == 0 && control->short_writes == 0) return (ssize_t)bytes;
    char path[PATH_MAX];
    if (!path_of(fd, path)) return (ssize_t)bytes;
    if (control->write_delay_ms > 0) {
        count();
        wait_ms(control->write_delay_ms);
    }
    if (control->write_error != 0) {
        count();
        errno = control->write_error;
        return -1;
    }
    static int32_t writes;
    int32_t every = control->short_writes;
    if (every > 0 && bytes > 1 && __atomic_add_fetch(&writes, 1, __ATOMIC_RELAXED) % every == 0) {
        count();
        return (ssize_t)(bytes / 2);
    }
    return (ssize_t)bytes;
}

static size_t total(const struct iovec *parts, int n) {
    size_t bytes = 0;
    for (int i = 0; i < n; i++) bytes += parts[i].iov_len;
    return bytes;
}

ssize_t write(int fd, const void *from, size_t bytes) {
    NEXT(ssize_t, "write", int, const void *, size_t)
    ssize_t allowed = before_write(fd, bytes);
    return allowed < 0 ? -1 : next(fd, from, (size_t)allowed);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at) {
    NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t)
    ssize_t allowed = before_write(fd, bytes);
    return allowed < 0 ? -1 : next(fd, from, (size_t)allowed, at);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at) {
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t)
    ssize_t allowed = before_write(fd, bytes);
    return allowed < 0 ? -1 : next(fd, from, (size_t)allowed, at);
}

/* A short write of several parts is a write of the first. */
static int parts_allowed(int fd, const struct iovec *parts, int n) {
    size_t bytes = total(parts, n);
    ssize_t allowed = before_write(fd, bytes);
    if (allowed < 0) return -1;
    return (size_t)allowed < bytes ? 1 : n;
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    NEXT(ssize_t, "writev", int, const struct iovec *, int)
    int allowed = parts_allowed(fd, parts, n);
    return allowed < 0 ? -1 : next(fd, parts, allowed);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) {
    NEXT(ssize_t, "pwritev", int, const struct iovec *, int, off_t)
    int allowed = parts_allowed(fd, parts, n);
    return allowed < 0 ? -1 : next(fd, parts, allowed, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t at) {
    NEXT(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t)
    int allowed = parts_allowed(fd, parts, n);
    return allowed < 0 ? -1 : next(fd, parts, allowed, at);
}

/* LevelDB writes through stdio, whose own system calls cannot be caught: its functions are. */

#undef fwrite_unlocked /* a macro where this is optimized */
#undef fflush_unlocked

static int refused(FILE *file) { return before_write(fileno(file), 1) < 0; }

size_t fwrite(const void *from, size_t size, size_t n, FILE *file) {
    NEXT(size_t, "fwrite", const void *, size_t, size_t, FILE *)
    return refused(file) ? 0 : next(from, size, n, file);
}

size_t fwrite_unlocked(const void *from, size_t size, size_t n, FILE *file) {
    NEXT(size_t, "fwrite_unlocked", const void *, size_t, size_t, FILE *)
    return refused(file) ? 0 : next(from, size, n, file);
}

int fflush_unlocked(FILE *file) {
    NEXT(int, "fflush_unlocked", FILE *)
    return file != NULL && refused(file) ? EOF : next(file);
}

/* Names that were removed or replaced since their directory was synced, by what keeps them. */
struct removed {
    char *directory, *kept;
    struct removed *next;
};
static struct removed *removed;

static void forget_removed(const char *directory) {
    for (struct removed **at = &removed; *at != NULL;) {
        struct removed *one = *at;
        if (strcmp(one->directory, directory) != 0) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        syscall(SYS_unlinkat, AT_FDCWD, one->kept, 0);
        free(one->directory);
        free(one->kept);
        free(one);
    }
}

static int synchronize(int fd, int (*next)(int)) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return next(fd);
    if (control->sync_delay_ms > 0) {
        count();
        wait_ms(control->sync_delay_ms);
    }
    if (control->sync_error != 0) {
        count();
        errno = control->sync_error;
        return -1;
    }
    if (journal < 0) return next(fd);
    struct stat before;
    if (fstat(fd, &before) != 0) return next(fd);
    if (!S_ISDIR(before.st_mode)) {
        int result = next(fd);
        if (result == 0) note("S\t%llu\t%lld\n", (unsigned long long)before.st_ino, (long long)before.st_size);
        return result;
    }
    pthread_mutex_lock(&names); /* what changes names meanwhile is not covered by this sync */
    int result = next(fd);
    if (result == 0) {
        note("D\t%s\n", path);
        forget_removed(path);
    }
    pthread_mutex_unlock(&names);
    return result;
}

int fsync(int fd) {
    NEXT(int, "fsync", int)
    return synchronize(fd, next);
}

int fdatasync(int fd) {
    NEXT(int, "fdatasync", int)
    return synchronize(fd, next);
}

int ftruncate64(int fd, off64_t bytes) {
    NEXT(int, "ftruncate64", int, off64_t)
    int result = next(fd, bytes);
    char path[PATH_MAX];
    struct stat now;
    if (result == 0 && journal >= 0 && path_of(fd, path) && fstat(fd, &now) == 0)
        note("T\t%llu\t%lld\n", (unsigned long long)now.st_ino, (long long)bytes);
    return result;
}

int ftruncate(int fd, off_t bytes) { return ftruncate64(fd, bytes); }

/* ---- names ---- */

static int opened(int fd, const char *path, int existed) {
    struct stat now;
    if (fd >= 0 && !existed && fstat(fd, &now) == 0) note("C\t%s\t%llu\n", path, (unsigned long long)now.st_ino);
    return fd;
}

static int exists(const char *path) { return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

#define OPEN(name)                                                     \
    int name(const char *path, int flags, ...) {                       \
        NEXT(int, #name, const char *, int, ...)                       \
        va_list arguments;                                             \
        va_start(arguments, flags);                                    \
        mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0; \
        va_end(arguments);                                             \
        if ((flags & O_CREAT) == 0 || journal < 0 || !below(path)) return next(path, flags, mode); \
        pthread_mutex_lock(&names);                                    \
        int existed = exists(path);                                    \
        int fd = opened(next(path, flags, mode), path, existed);       \
        pthread_mutex_unlock(&names);                                  \
        return fd;                                                     \
    }

OPEN(open)
OPEN(open64)

FILE *fopen64(const char *path, const char *mode) {
    NEXT(FILE *, "fopen64", const char *, const char *)
    if (mode[0] == 'r' || journal < 0 || !below(path)) return next(path, mode);
    pthread_mutex_lock(&names);
    int existed = exists(path);
    FILE *file = next(path, mode);
    if (file != NULL) opened(fileno(file), path, existed);
    pthread_mutex_unlock(&names);
    return file;
}

/* Keeps what `path` names by another name; gives that, or "-" when there is nothing to keep. */
static void keep(const char *path, char *name) {
    static int counter;
    strcpy(name, "-");
    if (!exists(path)) return;
    snprintf(name, PATH_MAX, "%s/%d-%d", kept, (int)getpid(), counter++);
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, name, 0) != 0) {
        strcpy(name, "-"); /* a directory: LevelDB and the server replace none that has contents */
        return;
    }
    struct removed *one = malloc(sizeof *one);
    if (one == NULL) abort();
    one->directory = strndup(path, (size_t)(strrchr(path, '/') - path));
    one->kept = strdup(name);
    one->next = removed;
    removed = one;
}

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *)
    if (journal < 0 || !below(from)) return next(from, to);
    char name[PATH_MAX];
    pthread_mutex_lock(&names);
    keep(to, name);
    int result = next(from, to);
    if (result == 0) note("R\t%s\t%s\t%s\n", from, to, name);
    pthread_mutex_unlock(&names);
    return result;
}

int unlink(const char *path) {
    NEXT(int, "unlink", const char *)
    if (journal < 0 || !below(path)) return next(path);
    char name[PATH_MAX];
    pthread_mutex_lock(&names);
    keep(path, name);
    int result = next(path);
    if (result == 0) note("U\t%s\t%s\n", path, name);
    pthread_mutex_unlock(&names);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    NEXT(int, "mkdir", const char *, mode_t)
    if (journal < 0 || !below(path)) return next(path, mode);
    pthread_mutex_lock(&names);
    int result = next(path, mode);
    if (result == 0) note("M\t%s\n", path);
    pthread_mutex_unlock(&names);
    return result;
}

int rmdir(const char *path) {
    NEXT(int, "rmdir", const char *)
    if (journal < 0 || !below(path)) return next(path);
    pthread_mutex_lock(&names);
    int result = next(path);
    if (result == 0) note("X\t%s\n", path);
    pthread_mutex_unlock(&names);
    return result;
}
