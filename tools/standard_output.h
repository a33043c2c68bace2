#pragma once

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <unistd.h>

// The standard output of every tool. A tool whose output is lost must not exit as if it were not.
namespace tools {

// Opens /dev/null in place of each closed standard descriptor, so that no file or socket gets its
// number. What was closed still fails: input cannot be read, and output cannot be written.
inline void reserve_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one.
    (void)::open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
  }
}

// To be called first. A write to a file that a limit keeps from growing (ulimit -f) then fails. It
// does not end the process.
inline void prepare_standard_output() {
  reserve_standard_descriptors();
  std::signal(SIGXFSZ, SIG_IGN);
}

// Writes what std::cout and stdout have buffered, and closes the descriptor: only then some file
// systems report errors. Returns `code`; or, if any output was lost, `failed`, with words on
// standard error.
inline int finish_standard_output(const char* program, int code, int failed) {
  errno = 0;  // stays 0 if only an earlier write failed
  const bool is_flushed = std::cout.flush() && std::fflush(stdout) == 0;
  const bool is_written = is_flushed && std::ferror(stdout) == 0 && ::close(STDOUT_FILENO) == 0;
  if (is_written) return code;
  const char* const reason = errno == 0 ? "a write failed" : std::strerror(errno);
  std::fprintf(stderr, "%s: cannot write to standard output: %s; the output is not complete\n",
               program, reason);
  return failed;
}

}  // namespace tools
