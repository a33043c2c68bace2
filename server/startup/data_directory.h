#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "server/storage/files/file_system.h"
#include "wire/result.h"

namespace server {

// Makes the directory that `key` names, with those above it, and sees that this process can write
// in it. An error says what an operator is to do.
[[nodiscard]] wire::Result<void> prepare_directory(storage::FileSystem& files,
                                                   const std::filesystem::path& directory,
                                                   const std::string& key);

// What is in `directory` that a person may have expected to be used, and is not: what Apache
// ZooKeeper left there.
[[nodiscard]] std::optional<std::string> foreign_data(const std::filesystem::path& directory);

}  // namespace server
