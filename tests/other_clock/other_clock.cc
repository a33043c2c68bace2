// Sets the wall clock of an unmodified program wrong: LD_PRELOAD=libother_clock.so, with
// ZABKEEPER_CLOCK_BEHIND=SECONDS, or with ZABKEEPER_CLOCK_AHEAD_FILE=FILE. The file has the
// seconds, and can be written again at any time.
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

namespace {

long seconds_in(const char* file) {
  const int fd = ::open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[32] = {};
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  return size > 0 ? std::atol(text) : 0;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  static const auto real =
      reinterpret_cast<int (*)(clockid_t, timespec*)>(::dlsym(RTLD_NEXT, "clock_gettime"));
  static const char* const behind = std::getenv("ZABKEEPER_CLOCK_BEHIND");
  static const char* const ahead_file = std::getenv("ZABKEEPER_CLOCK_AHEAD_FILE");
  const int done = real(clock, time);
  if (done != 0 || clock != CLOCK_REALTIME) return done;
  if (behind != nullptr) time->tv_sec -= std::atol(behind);
  if (ahead_file != nullptr) time->tv_sec += seconds_in(ahead_file);
  return done;
}
