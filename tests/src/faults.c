/* Faults of a disk, for a process that loads this before the C library (tests/src/faults.rs): syncs
   that are slow, calls that fail, syncs that are forgotten, and a copy of what was synced last.

   FAULTS_STATE names a file of 256 bytes, which is shared with the test: `struct state`.
   FAULTS_BELOW is the folder whose files are meant. FAULTS_KEPT, if set, is a folder that gets a
   copy of each file as it is synced, under its inode. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

struct state {
  uint32_t slow_ms; /* how long each sync takes more */
  uint32_t armed;   /* whether calls are counted and fail */
  uint32_t fail_at; /* the number of the call that fails; 0 is none */
  uint32_t error;   /* its errno; 0 kills the process instead */
  uint32_t for_ever; /* whether all calls after it fail, too */
  uint32_t calls;   /* calls so far */
  uint32_t failed;  /* how many failed */
  uint32_t forget;  /* 1: syncs of write-ahead logs do nothing; 2: those of checkpoint files */
  char what[224];   /* the first call that failed */
};

static volatile struct state nothing;
static volatile struct state *state = &nothing;
static const char *below = "", *kept;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS_STATE");
  int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
  if (fd < 0) return;
  void *at = mmap(0, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (at == MAP_FAILED) return;
  state = at;
  below = getenv("FAULTS_BELOW") ? getenv("FAULTS_BELOW") : "";
  kept = getenv("FAULTS_KEPT");
}

static int ends_with(const char *path, const char *end) {
  size_t all = strlen(path), last = strlen(end);
  return all >= last && strcmp(path + all - last, end) == 0;
}

/* What the test itself reads of the process is not meant. */
static int is_below(const char *path) {
  return below[0] && path && strncmp(path, below, strlen(below)) == 0 &&
         !ends_with(path, "stderr") && !strstr(path, "ready");
}

/* The path of an open file, if it is one of those that are meant. */
static int named(int fd, char path[512]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, 511);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

/* Whether this call has to fail. Sets errno. */
static int fails(const char *call, const char *path) {
  if (!state->armed) return 0;
  uint32_t number = __atomic_add_fetch(&state->calls, 1, __ATOMIC_SEQ_CST);
  uint32_t at = state->fail_at;
  if (!at || number < at || (number > at && !state->for_ever)) return 0;
  if (__atomic_fetch_add(&state->failed, 1, __ATOMIC_SEQ_CST) == 0)
    snprintf((char *)state->what, sizeof state->what, "%s %s", call, path);
  if (!state->error) kill(getpid(), SIGKILL);
  errno = (int)state->error;
  return 1;
}

static int file_fails(const char *call, int fd) {
  char path[512];
  return state->armed && named(fd, path) && fails(call, path);
}

static int path_fails(const char *call, const char *path) {
  return state->armed && is_below(path) && fails(call, path);
}

static void wait_for_disk(void) {
  uint32_t ms = state->slow_ms;
  struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
  if (ms) nanosleep(&time, 0);
}

/* Whether the sync of this file is forgotten. */
static int is_forgotten(const char *path) {
  return (state->forget == 1 && ends_with(path, ".log")) ||
         (state->forget == 2 && ends_with(path, "checkpoints"));
}

/* Copies a file that was synced: whole, or not at all. */
static void keep(int fd, const char *path) {
  struct stat found;
  if (!kept || fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) return;
  char to[600], unfinished[640];
  snprintf(to, sizeof to, "%s/%lu", kept, (unsigned long)found.st_ino);
  snprintf(unfinished, sizeof unfinished, "%s.%d.part", to, (int)syscall(SYS_gettid));
  int in = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  int out = (int)syscall(SYS_openat, AT_FDCWD, unfinished,
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  static __thread char piece[1 << 16];
  ssize_t read = -1;
  while (in >= 0 && out >= 0 && (read = syscall(SYS_read, in, piece, sizeof piece)) > 0)
    if (syscall(SYS_write, out, piece, read) != read) break;
  if (in >= 0) syscall(SYS_close, in);
  if (out >= 0) syscall(SYS_close, out);
  if (read == 0) syscall(SYS_renameat, AT_FDCWD, unfinished, AT_FDCWD, to);
}

/* What was kept of an inode is not of the file that is made with it. */
static int opened(int fd, int flags) {
  struct stat found;
  char to[600];
  if (fd < 0 || !kept || !(flags & O_CREAT) || fstat(fd, &found) != 0 || found.st_size) return fd;
  snprintf(to, sizeof to, "%s/%lu", kept, (unsigned long)found.st_ino);
  syscall(SYS_unlinkat, AT_FDCWD, to, 0);
  return fd;
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int synced(const char *call, int fd, int (*real)(int)) {
  char path[512];
  if (!named(fd, path)) return real(fd);
  wait_for_disk();
  if (is_forgotten(path)) return 0;
  if (fails(call, path)) return -1;
  int failed = real(fd);
  if (!failed) keep(fd, path);
  return failed;
}

int fsync(int fd) {
  REAL(fsync);
  return synced("fsync", fd, real);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return synced("fdatasync", fd, real);
}

int sync_file_range(int fd, off64_t at, off64_t length, unsigned flags) {
  REAL(sync_file_range);
  char path[512];
  if (named(fd, path)) wait_for_disk();
  return file_fails("sync_file_range", fd) ? -1 : real(fd, at, length, flags);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  return file_fails("write", fd) ? -1 : real(fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  REAL(writev);
  return file_fails("writev", fd) ? -1 : real(fd, pieces, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  REAL(pwrite);
  return file_fails("pwrite", fd) ? -1 : real(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  REAL(pwrite64);
  return file_fails("pwrite", fd) ? -1 : real(fd, bytes, length, at);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t at) {
  REAL(pread);
  return file_fails("pread", fd) ? -1 : real(fd, bytes, length, at);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t at) {
  REAL(pread64);
  return file_fails("pread", fd) ? -1 : real(fd, bytes, length, at);
}

int ftruncate(int fd, off_t length) {
  REAL(ftruncate);
  return file_fails("ftruncate", fd) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  return file_fails("ftruncate", fd) ? -1 : real(fd, length);
}

int fallocate(int fd, int mode, off_t at, off_t length) {
  REAL(fallocate);
  return file_fails("fallocate", fd) ? -1 : real(fd, mode, at, length);
}

int rename(const char *from, const char *to) {
  REAL(rename);
  return path_fails("rename", to) ? -1 : real(from, to);
}

int unlink(const char *path) {
  REAL(unlink);
  return path_fails("unlink", path) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  return path_fails("mkdir", path) ? -1 : real(path, mode);
}

#define MODE \
  va_list more; \
  va_start(more, flags); \
  mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
  va_end(more)

int open(const char *path, int flags, ...) {
  MODE;
  REAL(open);
  if (path_fails("open", path)) return -1;
  return is_below(path) ? opened(real(path, flags, mode), flags) : real(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE;
  REAL(open64);
  if (path_fails("open", path)) return -1;
  return is_below(path) ? opened(real(path, flags, mode), flags) : real(path, flags, mode);
}
