#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "server/storage/files/file_system.h"
#include "wire/result.h"

namespace server {

// Makes `directory`, and those above it, if they do not exist. Checks that this process can write
// in it. `key` is the configuration key that names it. An error says what an operator can do.
[[nodiscard]] wire::Result<void> prepare_directory(storage::FileSystem& files,
                                                   const std::filesystem::path& directory,
                                                   const std::string& key);

// A warning for the operator if `directory` has data of Apache ZooKeeper, which is not used here.
[[nodiscard]] std::optional<std::string> foreign_data(const std::filesystem::path& directory);

}  // namespace server
