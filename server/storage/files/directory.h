#pragma once

#include <string>

#include "wire/result.h"

// Operations on the real disk, for files that LMDB opens and that FileSystem does not know.
namespace storage {

// Makes durable that `path`, or a file beside it, was created, renamed or removed.
[[nodiscard]] wire::Result<void> sync_directory_of(const std::string& path);
// Renames `from` to `to`, atomically and durably. Replaces `to`. Both are in one directory.
[[nodiscard]] wire::Result<void> move_file(const std::string& from, const std::string& to);

}  // namespace storage
