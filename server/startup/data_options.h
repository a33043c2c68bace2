#pragma once

#include <string>

#include "server/storage/log.h"
#include "session/service.h"
#include "zab/ensemble.h"

namespace server {

// How the data of a server are opened.
struct DataOptions {
  std::string data_dir;  // of the checkpoint
  std::string log_dir;   // may be the same
  zab::ServerId server;  // data of another server are refused
  session::Service::Options service;
  storage::LogOptions log;
};

}  // namespace server
