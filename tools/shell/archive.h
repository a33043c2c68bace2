#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

struct gzFile_s;  // of zlib

namespace shell {

// An archive cannot be written.
class ArchiveFailed : public std::runtime_error {
  using runtime_error::runtime_error;
};

// The header of a file in a tar archive (POSIX ustar), 512 bytes. `name` has at most 100 bytes.
[[nodiscard]] std::string tar_header(const std::string& name, std::uint64_t bytes,
                                     std::int64_t seconds);

// Writes a .tar.gz file. The file must not exist before. Only its owner may read it. The destructor
// removes it if `finish` was not called. All functions throw ArchiveFailed.
class Archive {
 public:
  Archive(std::string path, std::int64_t seconds);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  void add(const std::string& name, std::string_view content);
  void finish();

 private:
  void write(std::string_view bytes);
  [[noreturn]] void fail(int error_number) const;

  std::string path_;
  std::int64_t seconds_;  // since 1970: the time of all its files
  gzFile_s* file_ = nullptr;
};

}  // namespace shell
