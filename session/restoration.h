#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "session/image.h"
#include "session/service.h"
#include "wire/result.h"
#include "znode/tree_restoration.h"

namespace session {

// Makes a replica of stored records. They are not trusted: MarshallingError says which of them is
// wrong, and the digest of the whole is compared with what was stored.
class Restoration {
 public:
  explicit Restoration(Watches::Bounds bounds = {}) : bounds_(bounds) {}

  // The next record: their keys rise.
  [[nodiscard]] wire::Result<void> add(std::string_view key, std::string_view value);
  // All have come. Nothing else may be asked afterwards.
  [[nodiscard]] wire::Result<std::unique_ptr<Service>> finish();

 private:
  Watches::Bounds bounds_;
  wire::Bytes last_key_;
  std::optional<ImageHeader> header_;
  std::optional<znode::TreeRestoration> tree_;
  SessionTable sessions_;
};

}  // namespace session
