#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/clients/answer.h"

namespace server {

// Targets that begin with this are commands of an operator.
inline constexpr std::string_view command_prefix = "/admin/";

// The functions that answer HTTP requests for everything but /v1, and operators' words. `target` is
// as in the request line, and valid during the call only. Called on the event loop's thread.
struct HttpHandlers {
  std::function<Answer(std::string_view method, std::string_view target)> page;
  // A POST from a sender who may give commands. Calls `done` once, during the call or later.
  std::function<void(std::string_view target, std::function<void(Answer)> done)> command;
  // A request for a command was refused, because its sender may not give commands.
  std::function<void()> command_refused = [] {};
  // The answer to one of ZooKeeper's four-letter words.
  std::function<std::string(std::string_view word)> word = [](std::string_view) {
    return std::string();
  };
};

}  // namespace server
