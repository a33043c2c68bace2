#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/checkpoints/shared_checkpoint.h"
#include "server/replication/snapshot_store.h"
#include "server/storage/checkpoint.h"
#include "session/restoration.h"

namespace server {

// Takes a snapshot in: into a checkpoint beside the one in use, and into memory. Only what adds up
// is ever adopted: the digest of the whole has to be the one that came with it.
class IncomingSnapshot : public SnapshotStore {
 public:
  using Restored = std::function<void(std::unique_ptr<session::Service>, zab::Point)>;

  // `restored` is called, on the log's thread, with the state that was adopted.
  IncomingSnapshot(SharedCheckpoint& checkpoint, zab::ServerId self,
                   session::Watches::Bounds bounds, Restored restored);

  [[nodiscard]] wire::Result<void> store(const zab::StoreSnapshot& chunk) override;
  [[nodiscard]] wire::Result<void> adopt(const zab::AdoptHistory& adopted) override;

  // Where a snapshot is stored until it is adopted.
  [[nodiscard]] static std::string path_beside(const std::string& checkpoint);

 private:
  [[nodiscard]] wire::Result<void> take(std::string_view bytes);
  [[nodiscard]] wire::Result<void> finish(zab::Point at);

  SharedCheckpoint& checkpoint_;
  zab::ServerId self_;
  session::Watches::Bounds bounds_;
  Restored restored_;

  storage::Checkpoint file_;
  std::unique_ptr<storage::CheckpointFill> fill_;
  std::optional<session::Restoration> restoration_;
  std::string rest_;                           // bytes of a record that is not whole yet
  std::unique_ptr<session::Service> service_;  // whole, and not adopted yet
};

}  // namespace server
