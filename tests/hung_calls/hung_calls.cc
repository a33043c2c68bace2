// A disk and a name server that hang, for an unmodified program:
// LD_PRELOAD=libhung_calls.so ZABKEEPER_HUNG=FILE. While FILE exists, nobody learns the size of a
// disk, nor what a name that ends in .test stands for: 127.0.0.1. The name never.test always hangs.
// While the file of ZABKEEPER_HUNG_CHECKPOINT exists, no checkpoint is synced.
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <netdb.h>
#include <string>
#include <sys/statvfs.h>
#include <unistd.h>

namespace {

bool ends_with(const char* text, const char* end) {
  const std::size_t size = std::strlen(text);
  const std::size_t end_size = std::strlen(end);
  return size >= end_size && std::strcmp(text + size - end_size, end) == 0;
}

void hang(const char* variable = "ZABKEEPER_HUNG") {
  const char* const file = std::getenv(variable);
  while (file != nullptr && ::access(file, F_OK) == 0) ::usleep(10'000);
}

}  // namespace

extern "C" int statvfs(const char* path, struct statvfs* status) {
  static const auto real =
      reinterpret_cast<int (*)(const char*, struct statvfs*)>(::dlsym(RTLD_NEXT, "statvfs"));
  hang();
  return real(path, status);
}

extern "C" int fdatasync(int descriptor) {
  static const auto real = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fdatasync"));
  char path[4096] = "";
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  if (::readlink(link.c_str(), path, sizeof path - 1) > 0 && ends_with(path, "/checkpoint")) {
    hang("ZABKEEPER_HUNG_CHECKPOINT");
  }
  return real(descriptor);
}

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  static const auto real =
      reinterpret_cast<int (*)(const char*, const char*, const addrinfo*, addrinfo**)>(
          ::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || !ends_with(node, ".test")) return real(node, service, hints, found);
  while (std::strcmp(node, "never.test") == 0) ::pause();
  hang();
  return real("127.0.0.1", service, hints, found);
}
