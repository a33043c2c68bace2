#pragma once

#include <memory>
#include <string>

#include "server/storage/log.h"
#include "session/service.h"

namespace server {

// What a server finds on its disk when it starts.
struct RecoveredState {
  std::unique_ptr<storage::Lock> lock;  // on the data directory
  storage::OpenedLog log;
  std::unique_ptr<session::Service> service;  // as of the checkpoint; a new one if there is none
  zab::Point checkpoint;
  std::string report;  // of the checkpoint, for the operator's log; empty if there is none
  bool lost = false;   // there was one, and it is of no use: the report says why
};

// Where the checkpoint of a data directory is.
[[nodiscard]] std::string checkpoint_path(const std::string& data_dir);

// Opens checkpoint and log. A checkpoint that is damaged is set aside, and never the reason not to
// start: the log has what it held, or another server. Before threads are started. Errors say what
// an operator is to do: see storage::Log::open.
[[nodiscard]] wire::Result<RecoveredState> recover_state(
    storage::FileSystem& files, const std::string& data_dir, const std::string& log_dir,
    zab::ServerId server, session::Watches::Bounds bounds, const storage::LogOptions& options);

}  // namespace server
