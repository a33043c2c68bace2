#include "tools/shell/node_states.h"

#include <utility>
#include <variant>

#include "tools/shell/inbox.h"

namespace shell {

struct NodeStates::Arrivals {
  Arrivals(std::string of, std::function<void()> function)
      : path(std::move(of)), on_arrival(std::move(function)) {}

  void on(const zabkeeper::TreeEvent& event) {
    if (const auto* failed = std::get_if<zabkeeper::FollowerFailed>(&event)) {
      inbox.put(zabkeeper::Error(failed->error, path));
    }
    if (const auto* tree = std::get_if<zabkeeper::TreeChanged>(&event)) {
      if (std::exchange(is_first, false) && tree->changes.empty()) {
        inbox.put(NodeState{{}, tree->zxid});
      }
      for (const zabkeeper::TreeChange& change : tree->changes) {
        inbox.put(change.node ? NodeState{change.node->data, change.node->mzxid}
                              : NodeState{{}, tree->zxid});
      }
    }
    on_arrival();
  }

  const std::string path;
  const std::function<void()> on_arrival;
  Inbox<zabkeeper::Result<NodeState>> inbox;
  bool is_first = true;
};

NodeStates::NodeStates(zabkeeper::Client& client, const std::string& path,
                       std::function<void()> on_arrival)
    : arrivals_(std::make_shared<Arrivals>(path, std::move(on_arrival))),
      cache_(client, {.path = path, .only_node = true},
             [arrivals = arrivals_](const zabkeeper::TreeEvent& event) { arrivals->on(event); }) {}

std::optional<zabkeeper::Result<NodeState>> NodeStates::take(std::chrono::milliseconds timeout) {
  return arrivals_->inbox.take(timeout);
}

}  // namespace shell
