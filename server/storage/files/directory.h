#pragma once

#include <string>

#include "wire/result.h"

// Names on the real disk, for what does not go through FileSystem.
namespace storage {

// Makes durable what was created, renamed or removed beside `path`.
[[nodiscard]] wire::Result<void> sync_directory_of(const std::string& path);
// Takes the place of what is there, atomically and durably; both are in one directory.
[[nodiscard]] wire::Result<void> move_file(const std::string& from, const std::string& to);

}  // namespace storage
