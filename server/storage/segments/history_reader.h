#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/storage/files/file_system.h"
#include "server/storage/segments/index.h"

namespace storage {

// A part of a history, without a gap.
struct Stretch {
  zab::Point from;
  std::vector<zab::Txn> txns;  // they follow `from`
};

// Implements Log::read_after. `last` is the end of the history.
[[nodiscard]] Result<std::optional<Stretch>> read_after(FileSystem& files,
                                                        const std::string& directory,
                                                        const Index& index, zab::Point last,
                                                        zab::Point after, std::uint64_t max_bytes);

}  // namespace storage
