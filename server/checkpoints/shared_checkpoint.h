#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server/storage/checkpoint.h"

namespace server {

// The checkpoint of a running server, and its readers. The holder of the mutex may use all of it.
struct SharedCheckpoint {
  explicit SharedCheckpoint(std::string path) : file(std::move(path)) {}

  std::mutex mutex;
  storage::Checkpoint file;
  std::map<zab::ServerId, std::unique_ptr<storage::CheckpointReader>> readers;  // by learner
};

}  // namespace server
