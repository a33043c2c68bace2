#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/checkpoints/shared_checkpoint.h"
#include "server/storage/checkpoint.h"
#include "session/restoration.h"
#include "zab/effects.h"

namespace server {

// A snapshot that another server sends. It is stored in a checkpoint beside the one in use, and in
// memory, on the log's thread. It is adopted only if it is complete, and has the digest that
// the other server sent.
class IncomingSnapshot {
 public:
  using Restored = std::function<void(std::unique_ptr<session::Service>, zab::Point)>;

  // `program`: the name of this program, for the labels. `restored` is called, on the log's thread,
  // with the state that was adopted.
  IncomingSnapshot(SharedCheckpoint& checkpoint, zab::ServerId self, std::string program,
                   const session::Service::Options& options, Restored restored);

  // Stores one chunk. The last chunk makes the whole snapshot durable. An error must end the
  // process, like an error of the log: this server can make no more promises.
  [[nodiscard]] wire::Result<void> store(const zab::StoreSnapshot& chunk);
  // The log has adopted the last stored snapshot. The snapshot replaces the checkpoint in use.
  [[nodiscard]] wire::Result<void> adopt(const zab::AdoptHistory& adopted);

  // Where a snapshot is stored until it is adopted.
  [[nodiscard]] static std::string path_beside(const std::string& checkpoint);

 private:
  [[nodiscard]] wire::Result<void> take(std::string_view bytes);
  [[nodiscard]] wire::Result<void> finish(zab::Point at);
  // The label of the state in `service_`. `cluster`: none until the log has adopted it.
  [[nodiscard]] storage::CheckpointLabel label(zab::Point at, zab::ClusterId cluster) const;

  SharedCheckpoint& checkpoint_;
  zab::ServerId self_;
  std::string program_;
  session::Service::Options options_;
  Restored restored_;

  storage::Checkpoint file_;
  std::unique_ptr<storage::CheckpointFill> fill_;
  std::optional<session::Restoration> restoration_;
  std::string rest_;                           // bytes of a record that is not complete yet
  std::unique_ptr<session::Service> service_;  // complete, and not adopted yet
};

}  // namespace server
