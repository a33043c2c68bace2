#include "tools/shell/archive.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include <zlib.h>

#include "wire/ensure.h"

namespace shell {
namespace {

constexpr std::size_t tar_block = 512;
constexpr std::size_t tar_name_max = 100;

// The fields of a ustar header: POSIX, pax, "ustar Interchange Format".
struct TarField {
  std::size_t at;
  std::size_t bytes;
};
constexpr TarField tar_name{0, tar_name_max};
constexpr TarField tar_mode{100, 8};
constexpr TarField tar_uid{108, 8};
constexpr TarField tar_gid{116, 8};
constexpr TarField tar_size{124, 12};
constexpr TarField tar_time{136, 12};
constexpr TarField tar_sum{148, 8};
constexpr TarField tar_type{156, 1};
constexpr TarField tar_magic{257, 8};

void put(std::string& header, TarField field, std::string_view text) {
  ensure(text.size() <= field.bytes, "a field of a tar header has room for its text");
  header.replace(field.at, text.size(), text);
}

// Writes octal digits, and a NUL.
void put_number(std::string& header, TarField field, std::uint64_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%0*llo", static_cast<int>(field.bytes - 1),
                static_cast<unsigned long long>(number));
  put(header, field, text.data());
}

}  // namespace

std::string tar_header(const std::string& name, std::uint64_t bytes, std::int64_t seconds) {
  std::string header(tar_block, '\0');
  put(header, tar_name, name);
  put_number(header, tar_mode, 0600);
  put_number(header, tar_uid, 0);
  put_number(header, tar_gid, 0);
  put_number(header, tar_size, bytes);
  put_number(header, tar_time, static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0)));
  put(header, tar_type, "0");
  put(header, tar_magic, std::string_view("ustar\00000", 8));
  // The checksum counts its own field as blanks.
  put(header, tar_sum, "        ");
  std::uint64_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%06llo", static_cast<unsigned long long>(sum));
  put(header, tar_sum, std::string_view(text.data(), 7));
  return header;
}

Archive::Archive(std::string path, std::int64_t seconds)
    : path_(std::move(path)), seconds_(seconds) {
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno == EEXIST) {
    throw ArchiveFailed(path_ + " exists already: remove it, or name another file");
  }
  if (descriptor < 0) fail(errno);
  file_ = ::gzdopen(descriptor, "wb");
  if (file_ != nullptr) return;
  ::close(descriptor);
  ::unlink(path_.c_str());
  fail(ENOMEM);
}

Archive::~Archive() {
  if (file_ == nullptr) return;
  ::gzclose(file_);
  ::unlink(path_.c_str());
}

void Archive::add(const std::string& name, std::string_view content) {
  write(tar_header(name, content.size(), seconds_));
  write(content);
  const std::size_t beyond = content.size() % tar_block;
  if (beyond != 0) write(std::string(tar_block - beyond, '\0'));
}

void Archive::finish() {
  write(std::string(2 * tar_block, '\0'));
  const int result = ::gzclose(std::exchange(file_, nullptr));
  if (result == Z_OK) return;
  const int error_number = result == Z_ERRNO ? errno : EIO;
  ::unlink(path_.c_str());
  fail(error_number);
}

void Archive::write(std::string_view bytes) {
  if (bytes.empty()) return;
  errno = 0;
  if (::gzwrite(file_, bytes.data(), static_cast<unsigned>(bytes.size())) > 0) return;
  fail(errno != 0 ? errno : EIO);
}

void Archive::fail(int error_number) const {
  throw ArchiveFailed(path_ + ": " + std::strerror(error_number));
}

}  // namespace shell
