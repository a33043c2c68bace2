#pragma once

#include <memory>
#include <string>

#include "server/startup/data_options.h"
#include "server/storage/log.h"
#include "session/service.h"

namespace server {

// The state that a server has on its disk when it starts.
struct RecoveredState {
  std::unique_ptr<storage::Lock> lock;  // on the data directory
  storage::OpenedLog log;
  std::unique_ptr<session::Service> service;  // as of the checkpoint; empty without one
  zab::Point checkpoint;                      // its point; {} without one
  std::string report;  // about the checkpoint, for the operator; empty without one
  bool lost = false;   // there was a checkpoint that cannot be used: the report says why
};

// The path of the checkpoint in a data directory.
[[nodiscard]] std::string checkpoint_path(const std::string& data_dir);

// Opens checkpoint and log. A damaged checkpoint is renamed, and is no reason not to start: the
// log, or another server, has what was in it. A file of an unknown version is not
// damaged: the start is refused, and no file has changed. Call it before threads are started. An
// error says what an operator can do: see storage::Log::open.
[[nodiscard]] wire::Result<RecoveredState> recover_state(storage::FileSystem& files,
                                                         const DataOptions& options);

}  // namespace server
