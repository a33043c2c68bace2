#include "client-lib/tree_cache.h"

namespace zabkeeper {

TreeCache::TreeCache(const AsyncCalls& client, FollowOptions options, Callback<TreeEvent> on_event)
    : run_(std::make_shared<Run>(client.core(), TreeFollower(std::move(options)),
                                 std::move(on_event))) {
  run_->start();
}

TreeCache::~TreeCache() { run_->stop(); }

Result<wire::Zxid> TreeCache::wait_for(std::chrono::milliseconds timeout) const {
  return run_->wait_for(timeout);
}

std::optional<TreeNode> TreeCache::get(std::string_view path) const {
  const auto guard = lock();
  const auto found = nodes().find(path);
  if (found == nodes().end()) return std::nullopt;
  return found->second;
}

std::pair<TreeNodes, wire::Zxid> TreeCache::snapshot() const {
  const auto guard = lock();
  return {nodes(), zxid()};
}

}  // namespace zabkeeper
