#pragma once

#include <optional>

#include "wire/bytes.h"

namespace wire {

// One record of a checkpoint, for the rooms that make records and the room that stores them.
struct StoredRecord {
  Bytes key;
  std::optional<Bytes> value;  // nothing: the record is deleted

  bool operator==(const StoredRecord&) const = default;
};

}  // namespace wire
