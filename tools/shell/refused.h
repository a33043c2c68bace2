#pragma once

#include <string>

#include "tools/shell/exit_codes.h"
#include "wire/error.h"
#include "wire/zxid.h"

namespace shell {

// Ends a command: a request was refused, or could not be sent. `Runner::run` reports it.
struct Refused {
  wire::Error error;
  std::string path;
  Effect effect = Effect::read;
  wire::Zxid zxid = {};       // of the reply
  bool is_in_output = false;  // with --json, the output has said so already
};

}  // namespace shell
