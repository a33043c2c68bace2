#include "server/storage/files/directory.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "server/storage/files/posix_file_system.h"

namespace storage {

wire::Result<void> sync_directory_of(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  return PosixFileSystem().sync_directory(directory);
}

wire::Result<void> move_file(const std::string& from, const std::string& to) {
  PosixFileSystem files;
  if (auto renamed = files.rename(from, to); !renamed) return renamed;
  return sync_directory_of(to);
}

}  // namespace storage
