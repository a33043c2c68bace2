#include "znode/operations.h"

namespace znode {
namespace {

// In one transaction; the others go with the next.
constexpr std::size_t reaped_max = 1000;

bool may_go(const std::optional<PendingNode>& node, wire::TimeMs now) {
  if (!node || node->child_count > 0) return false;
  const auto deadline = node->lifetime.deadline(node->creations, node->mtime);
  return deadline && *deadline < now;
}

}  // namespace

// The tree says which nodes could go; whether they may, what is planned for them already says.
DeleteManyTxn plan_reaping(Draft& draft) {
  DeleteManyTxn txn;
  for (std::string& path : draft.base().tree().due(draft.now(), reaped_max)) {
    if (!may_go(draft.find(path), draft.now())) continue;
    draft.remove(path);
    txn.paths.push_back(std::move(path));
  }
  return txn;
}

}  // namespace znode
