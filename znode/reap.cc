#include "znode/operations.h"

namespace znode {
namespace {

// The maximum in one transaction; the next transaction deletes the others.
constexpr std::size_t reaped_max = 1000;

bool is_due(const std::optional<PendingNode>& node, wire::TimeMs now) {
  if (!node || node->child_count > 0) return false;
  const auto deadline = node->lifetime.deadline(node->creations, node->mtime);
  return deadline && *deadline < now;
}

}  // namespace

// The tree knows which nodes are due. Outstanding plans may have changed that, so each is checked
// again in the draft.
DeleteManyTxn plan_reaping(Draft& draft) {
  DeleteManyTxn txn;
  for (std::string& path : draft.base().tree().due(draft.now(), reaped_max)) {
    const std::optional<PendingNode> node = draft.find(path);
    if (!is_due(node, draft.now())) continue;
    draft.remove(path, *node);
    txn.paths.push_back(std::move(path));
  }
  return txn;
}

}  // namespace znode
