#pragma once

#include "server/storage/files/file_system.h"

namespace storage {

// The operating system's file system. Has no state of its own: several threads may use it.
class PosixFileSystem final : public FileSystem {
 public:
  Result<void> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Result<std::unique_ptr<File>> create(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override;
};

}  // namespace storage
