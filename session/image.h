#pragma once

#include <cstdint>
#include <string_view>

#include "session/session_table.h"
#include "wire/bytes.h"
#include "wire/forms.h"
#include "wire/result.h"
#include "wire/stored_record.h"
#include "wire/zxid.h"
#include "znode/node_record.h"

// The state of a replica as records, for checkpoints and snapshots. In the order of their keys, the
// header comes first, then nodes (parents before their children), then sessions.
namespace session {

using Record = wire::StoredRecord;

// Describes the state in an image.
struct ImageHeader {
  wire::Zxid zxid;        // of the last transaction in the image
  wire::TimeMs time = 0;  // of the newest transaction
  std::uint64_t digest = 0;
  std::uint64_t nodes = 0;
  wire::Level level;  // of the ensemble; not stored at level 0

  bool operator==(const ImageHeader&) const = default;
};

// In the version that is written at the header's level.
[[nodiscard]] Record encode(const ImageHeader& header);
[[nodiscard]] Record to_record(znode::NodeRecord node);
[[nodiscard]] Record to_record(SessionRecord session);

enum class RecordKind : std::uint8_t { header = 1, node = 2, session = 3 };

struct RecordKey {
  RecordKind kind = RecordKind::header;
  std::uint64_t number = 0;  // a node's serial number, a session's id
};

// Both return Unimplemented for a kind or a version that this program does not know, and
// MarshallingError for other bytes that are not valid.
[[nodiscard]] wire::Result<RecordKey> decode_key(std::string_view key);
[[nodiscard]] wire::Result<ImageHeader> decode_header(std::string_view value);

}  // namespace session
