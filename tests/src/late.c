/* A thread that goes on late, for a process that loads this before the C library
   (tests/src/late.rs): once the file LATE_FROM is there, the threads named LATE_THREAD wait for
   LATE_US microseconds after each time that they were woken. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_if_meant(void) {
  char name[17] = {0};
  const char *meant = getenv("LATE_THREAD"), *from = getenv("LATE_FROM"), *us = getenv("LATE_US");
  if (!meant || !from || !us) return;
  prctl(PR_GET_NAME, name);
  if (strcmp(name, meant) == 0 && access(from, F_OK) == 0) usleep((useconds_t)atoi(us));
}

long syscall(long number, ...) {
  static long (*real)(long, long, long, long, long, long, long);
  if (!real) real = (long (*)(long, long, long, long, long, long, long))dlsym(RTLD_NEXT, "syscall");
  long given[6];
  va_list rest;
  va_start(rest, number);
  for (int at = 0; at < 6; at++) given[at] = va_arg(rest, long);
  va_end(rest);
  long answer = real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
  if (number == SYS_futex) {
    int said = errno;
    wait_if_meant();
    errno = said;
  }
  return answer;
}
