#pragma once

#include <future>

#include "client-lib/client.h"

namespace shell {

// A request that is under way. So one thread can have several at a time: it begins all of them
// before it waits for the first reply.
class BegunRequest {
 public:
  BegunRequest(const zabkeeper::Client& client, wire::Request request);

  // Waits for the reply, once. Throws Interrupted if the user interrupts the wait.
  [[nodiscard]] zabkeeper::AnyReply take();

 private:
  std::future<zabkeeper::AnyReply> reply_;
};

}  // namespace shell
