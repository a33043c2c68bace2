#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "wire/zxid.h"

namespace server {

// The state of the checkpoints of a running server.
struct CheckpointReport {
  wire::Zxid at;              // of the last one
  std::uint64_t taken = 0;    // since the server started
  std::uint64_t failed = 0;   // likewise
  std::uint64_t records = 0;  // of the last one: those that had changed
  std::chrono::microseconds took{};
  std::uint64_t bytes = 0;  // size of the file
  std::uint64_t since = 0;  // transactions that the last one does not include
  std::string error;        // why the last attempt failed; empty if it succeeded
};

}  // namespace server
