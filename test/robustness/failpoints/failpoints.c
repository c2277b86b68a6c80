/*
 * Makes the n-th call on a file below a folder fail, for LD_PRELOAD: whoever makes the call, JavaScript or a library.
 *
 *   FAILPOINT_FOLDER  files below this folder count (an absolute path)
 *   FAILPOINT_AT      the call that fails, counted from 1; 0: none
 *   FAILPOINT_COUNT   a file of 8 bytes, shared by all processes of a run: the calls made so far
 *   FAILPOINT_LOG     what failed is written to this file, a line: number, call, path
 *
 * It goes along into programs that are started without an environment. Counted are open, read, write, sync, rename, link, unlink, mkdir, rmdir and truncate. Reading, opening and taking away fail with EIO, as a
 * failing disk does; what needs room fails with ENOSPC.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FILES 65536

static const char *folder;
static size_t folder_length;
static uint64_t fail_at;
static _Atomic uint64_t *count;
static char watched[MAX_FILES];

/* The variables above, for programs that are started with an environment of their own. */
#define OWN_VARIABLES 5
static const char *const own_names[OWN_VARIABLES] = {"LD_PRELOAD", "FAILPOINT_FOLDER", "FAILPOINT_AT", "FAILPOINT_COUNT",
                                                     "FAILPOINT_LOG"};
static char own[OWN_VARIABLES][4400];
extern char **environ;

static void *original(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void start(void) {
  const char *at = getenv("FAILPOINT_AT");
  const char *counter = getenv("FAILPOINT_COUNT");
  folder = getenv("FAILPOINT_FOLDER");
  if (!folder || !at || !counter) {
    folder = NULL;
    return;
  }
  folder_length = strlen(folder);
  for (int i = 0; i < OWN_VARIABLES; i++) {
    const char *value = getenv(own_names[i]);
    if (value) snprintf(own[i], sizeof own[i], "%s=%s", own_names[i], value);
  }
  fail_at = strtoull(at, NULL, 10);
  int (*open_)(const char *, int, ...) = original("open");
  int fd = open_(counter, O_RDWR | O_CLOEXEC);
  void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) {
    fprintf(stderr, "failpoints: cannot map %s\n", counter);
    abort();
  }
  int (*close_)(int) = original("close");
  close_(fd);
  count = page;
}

static int inside(const char *path) {
  if (!folder || !path) return 0;
  return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

static int is_watched(int fd) { return folder && fd >= 0 && fd < MAX_FILES && watched[fd]; }

/* Whether this call is the one that fails. */
static int fails(const char *call, const char *path) {
  uint64_t number = atomic_fetch_add(count, 1) + 1;
  if (number != fail_at) return 0;
  const char *log = getenv("FAILPOINT_LOG");
  if (log) {
    int (*open_)(const char *, int, ...) = original("open");
    ssize_t (*write_)(int, const void *, size_t) = original("write");
    int (*close_)(int) = original("close");
    char line[4400];
    int length = snprintf(line, sizeof line, "%llu %s %s\n", (unsigned long long)number, call, path);
    int fd = open_(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
      if (write_(fd, line, (size_t)length) < 0) abort();
      close_(fd);
    }
  }
  return 1;
}

static int fails_fd(const char *call, int fd) {
  if (!is_watched(fd)) return 0;
  char link[64], path[4097];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  return fails(call, path);
}

#define FAIL(code, value)                                                                                              \
  do {                                                                                                                 \
    errno = code;                                                                                                      \
    return value;                                                                                                      \
  } while (0)

static int opened(int fd, const char *path) {
  if (fd >= 0 && fd < MAX_FILES) watched[fd] = (char)inside(path);
  return fd;
}

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    va_list list;                                                                                                      \
    va_start(list, flags);                                                                                             \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0;                                          \
    va_end(list);                                                                                                      \
    if (inside(path) && fails("open", path)) FAIL(flags & O_CREAT ? ENOSPC : EIO, -1);                                 \
    int (*call)(const char *, int, ...) = original(#name);                                                             \
    return opened(call(path, flags, mode), path);                                                                      \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
  int name(int dir, const char *path, int flags, ...) {                                                                \
    va_list list;                                                                                                      \
    va_start(list, flags);                                                                                             \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0;                                          \
    va_end(list);                                                                                                      \
    if (inside(path) && fails("open", path)) FAIL(flags & O_CREAT ? ENOSPC : EIO, -1);                                 \
    int (*call)(int, const char *, int, ...) = original(#name);                                                        \
    return opened(call(dir, path, flags, mode), path);                                                                 \
  }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
  if (fd >= 0 && fd < MAX_FILES) watched[fd] = 0;
  int (*call)(int) = original("close");
  return call(fd);
}

/* Calls on an open file: the name, what it needs, and how it fails. */
#define ON_FILE(type, name, label, code, parameters, arguments)                                                        \
  type name parameters {                                                                                               \
    if (fails_fd(label, fd)) FAIL(code, -1);                                                                           \
    type(*call) parameters = original(#name);                                                                          \
    return call arguments;                                                                                             \
  }
ON_FILE(ssize_t, read, "read", EIO, (int fd, void *to, size_t size), (fd, to, size))
ON_FILE(ssize_t, pread, "read", EIO, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
ON_FILE(ssize_t, pread64, "read", EIO, (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
ON_FILE(ssize_t, readv, "read", EIO, (int fd, const struct iovec *to, int parts), (fd, to, parts))
ON_FILE(ssize_t, preadv, "read", EIO, (int fd, const struct iovec *to, int parts, off_t at), (fd, to, parts, at))
ON_FILE(ssize_t, preadv64, "read", EIO, (int fd, const struct iovec *to, int parts, off64_t at), (fd, to, parts, at))
ON_FILE(ssize_t, write, "write", ENOSPC, (int fd, const void *from, size_t size), (fd, from, size))
ON_FILE(ssize_t, pwrite, "write", ENOSPC, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
ON_FILE(ssize_t, pwrite64, "write", ENOSPC, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
ON_FILE(ssize_t, writev, "write", ENOSPC, (int fd, const struct iovec *from, int parts), (fd, from, parts))
ON_FILE(ssize_t, pwritev, "write", ENOSPC, (int fd, const struct iovec *from, int parts, off_t at), (fd, from, parts, at))
ON_FILE(ssize_t, pwritev64, "write", ENOSPC, (int fd, const struct iovec *from, int parts, off64_t at), (fd, from, parts, at))
ON_FILE(int, fsync, "sync", EIO, (int fd), (fd))
ON_FILE(int, fdatasync, "sync", EIO, (int fd), (fd))
ON_FILE(int, ftruncate, "truncate", EIO, (int fd, off_t size), (fd, size))
ON_FILE(int, ftruncate64, "truncate", EIO, (int fd, off64_t size), (fd, size))

/* Calls on a path. */
#define ON_PATH(name, label, code, parameters, arguments)                                                              \
  int name parameters {                                                                                                \
    if (inside(path) && fails(label, path)) FAIL(code, -1);                                                            \
    int(*call) parameters = original(#name);                                                                           \
    return call arguments;                                                                                             \
  }
ON_PATH(rename, "rename", EIO, (const char *path, const char *to), (path, to))
ON_PATH(link, "link", ENOSPC, (const char *path, const char *to), (path, to))
ON_PATH(unlink, "unlink", EIO, (const char *path), (path))
ON_PATH(mkdir, "mkdir", ENOSPC, (const char *path, mode_t mode), (path, mode))
ON_PATH(rmdir, "rmdir", EIO, (const char *path), (path))

char *mkdtemp(char *path) {
  if (inside(path) && fails("mkdir", path)) FAIL(ENOSPC, NULL);
  char *(*call)(char *) = original("mkdtemp");
  return call(path);
}

/* Called between fork and the new program: no memory may be taken here. */
int execvp(const char *file, char *const arguments[]) {
  static char *variables[1024];
  int length = 0;
  for (int i = 0; i < OWN_VARIABLES; i++)
    if (own[i][0]) variables[length++] = own[i];
  for (char **one = environ; one && *one && length < 1023; one++) {
    int is_own = 0;
    for (int i = 0; i < OWN_VARIABLES; i++) {
      size_t size = strlen(own_names[i]);
      is_own |= strncmp(*one, own_names[i], size) == 0 && (*one)[size] == '=';
    }
    if (!is_own) variables[length++] = *one;
  }
  variables[length] = NULL;
  if (folder) environ = variables;
  int (*call)(const char *, char *const[]) = original("execvp");
  return call(file, arguments);
}
