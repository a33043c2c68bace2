#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client-lib/client.h"
#include "client-lib/tree_cache.h"
#include "wire/shared_bytes.h"
#include "wire/zxid.h"

namespace shell {

// A node as one transaction left it; without data: it did not exist.
struct NodeState {
  std::optional<wire::SharedBytes> data;
  wire::Zxid zxid;
};

// The states of one node: the present one, and then each later one, in order. After a long loss of
// connections or sessions, the servers may not know all later states. Then only the last one comes,
// if it differs.
class NodeStates {
 public:
  // `on_arrival` is called by the client's thread after a state has arrived.
  NodeStates(
      zabkeeper::Client& client, const std::string& path, std::function<void()> on_arrival = [] {});

  // The next state, or the reason why there are no more. Returns nothing at the timeout.
  std::optional<zabkeeper::Result<NodeState>> take(std::chrono::milliseconds timeout);

 private:
  struct Arrivals;  // shared with the client's thread

  std::shared_ptr<Arrivals> arrivals_;
  zabkeeper::TreeCache cache_;
};

}  // namespace shell
