#pragma once

#include "wire/result.h"
#include "zab/effects.h"

namespace server {

// Where the bytes of a snapshot go that another server sends, on the log's thread: they are
// durable before the log says that it is adopted.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;

  // An error ends the process, as one of the log does: nothing may be promised.
  [[nodiscard]] virtual wire::Result<void> store(const zab::StoreSnapshot& chunk) = 0;
  // The log has adopted what was stored last: it takes the checkpoint's place.
  [[nodiscard]] virtual wire::Result<void> adopt(const zab::AdoptHistory& adopted) = 0;
};

}  // namespace server
