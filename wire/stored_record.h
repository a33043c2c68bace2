#pragma once

#include <optional>

#include "wire/bytes.h"

namespace wire {

// One record of a store of keys and values: what those who make it and those who keep it share.
struct StoredRecord {
  Bytes key;
  std::optional<Bytes> value;  // nothing: the record is gone

  bool operator==(const StoredRecord&) const = default;
};

}  // namespace wire
