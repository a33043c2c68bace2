#include "znode/operations.h"

namespace znode {
namespace {

// The maximum in one transaction; the next transaction deletes the others.
constexpr std::size_t reaped_max = 1000;

// Whether no outstanding plan changes what the countdown of the node counts from.
bool is_unchanged(const Node& node, const PendingNode& pending) {
  return pending.child_count == 0 && pending.creations == node.creations &&
         pending.lifetime == node.lifetime() && pending.version == node.version &&
         pending.mtime == node.mtime;
}

}  // namespace

// The tree knows which nodes are due. Outstanding plans may have changed that, so each is checked
// again in the draft.
DeleteManyTxn plan_reaping(Draft& draft) {
  DeleteManyTxn txn;
  for (const Node* node : draft.base().tree().countdowns().due(reaped_max)) {
    std::string path = node->path();
    const std::optional<PendingNode> pending = draft.find(path);
    if (!pending || !is_unchanged(*node, *pending)) continue;
    draft.remove(path, *pending);
    txn.paths.push_back(std::move(path));
  }
  return txn;
}

}  // namespace znode
