#include "server/config/text_file.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace server {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20;

TextFile not_readable(int number) {
  if (number == ENOENT || number == ENOTDIR) return {};
  return {std::nullopt, std::generic_category().message(number)};
}

TextFile read_all(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    return {std::nullopt, "it is a directory, not a file"};
  }
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = ::read(descriptor, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return not_readable(errno);
    if (count == 0) return {std::move(text), {}};
    text.append(part.data(), static_cast<std::size_t>(count));
    if (text.size() > file_bytes_max) return {std::nullopt, "it is larger than 1 MiB"};
  }
}

}  // namespace

TextFile read_text_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return not_readable(errno);
  TextFile file = read_all(descriptor);
  ::close(descriptor);
  return file;
}

}  // namespace server
