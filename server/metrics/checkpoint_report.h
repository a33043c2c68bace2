#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "wire/zxid.h"

namespace server {

// What became of the checkpoints of a running server.
struct CheckpointReport {
  wire::Zxid at;              // of the last one
  std::uint64_t taken = 0;    // since the server started
  std::uint64_t failed = 0;   // likewise
  std::uint64_t records = 0;  // of the last one: what had changed
  std::chrono::microseconds took{};
  std::uint64_t bytes = 0;  // that the file has
  std::uint64_t since = 0;  // transactions that it does not have
  std::string error;        // why the last try failed; empty if it did not
};

}  // namespace server
