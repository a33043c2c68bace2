#pragma once

#include <string>
#include <string_view>

#include "wire/bytes.h"
#include "wire/forms.h"
#include "wire/result.h"
#include "zab/credentials.h"
#include "zab/ensemble.h"
#include "zab/history.h"

namespace storage {

using wire::Result;

// The owner of a checkpoint, and the transaction whose state it has. The label also says how to
// read the records: their forms are those of its level.
struct CheckpointLabel {
  zab::ServerId server;
  zab::ClusterId cluster;
  zab::Point at;
  wire::Level level;    // of the records
  std::string program;  // that wrote them; a label of level 0 does not say it

  bool operator==(const CheckpointLabel&) const = default;
};

// The label's key. It sorts before all others.
inline constexpr std::string_view label_key("\0", 1);
// No label is longer, in any version.
inline constexpr std::size_t label_bytes_max = 4096;

// In the version of its level. FORMAT.md has the layout.
[[nodiscard]] wire::Bytes encode(const CheckpointLabel& label);
// An error says what is wrong, without the file's name. Its code is `unimplemented` if the bytes
// are intact, and of a version or of a level that this program does not know. Otherwise they are
// damaged: `system_error`.
[[nodiscard]] Result<CheckpointLabel> decode_label(std::string_view bytes);

}  // namespace storage
