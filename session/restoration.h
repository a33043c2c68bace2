#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "session/image.h"
#include "session/service.h"
#include "wire/result.h"
#include "znode/tree_restoration.h"

namespace session {

// Builds a replica from stored records. The records are untrusted: an invalid record is a
// MarshallingError that names it (Unimplemented if its version is unknown), and the digest of the
// result is compared with the stored digest.
class Restoration {
 public:
  // `known`: as for Service. A state of another level is Unimplemented.
  explicit Restoration(const Service::Options& options = {},
                       wire::LevelRange known = wire::known_levels)
      : options_(options), known_(known) {}

  // Adds the next record. Keys must rise.
  [[nodiscard]] wire::Result<void> add(std::string_view key, std::string_view value);
  // Returns the replica after the last record. No function may be called afterwards.
  [[nodiscard]] wire::Result<std::unique_ptr<Service>> finish();

 private:
  Service::Options options_;
  wire::LevelRange known_;
  wire::Bytes last_key_;
  std::optional<ImageHeader> header_;
  std::optional<znode::TreeRestoration> tree_;
  SessionTable sessions_;
};

}  // namespace session
