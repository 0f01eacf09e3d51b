/* No more threads, for a process that loads this before the C library (tests/src/threads.rs): once
   the file NO_THREADS_FROM is there, starting one fails as at a limit of processes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *given) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (!real)
    real = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
        RTLD_NEXT, "pthread_create");
  const char *from = getenv("NO_THREADS_FROM");
  if (from && access(from, F_OK) == 0) return EAGAIN;
  return real(thread, attributes, start, given);
}
