#pragma once

#include <future>

#include "client-lib/client.h"

namespace shell {

// A request that is sent and not answered yet. One thread can begin several requests before it
// waits for the first reply.
class BegunRequest {
 public:
  BegunRequest(const zabkeeper::Client& client, wire::Request request);

  // Waits for the reply, once. Throws Interrupted if the user interrupts the wait.
  [[nodiscard]] zabkeeper::AnyReply take();

 private:
  std::future<zabkeeper::AnyReply> reply_;
};

}  // namespace shell
