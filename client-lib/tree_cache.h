#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "client-lib/async_calls.h"
#include "client-lib/callback.h"
#include "client-lib/error.h"
#include "client-lib/following_run.h"
#include "client-lib/recipes/tree_follower.h"

// A part of the tree, kept current in memory.
//
//   zabkeeper::TreeCache cache(client, {.path = "/services"});
//   cache.wait_for(std::chrono::seconds(5)).value();
//   const auto node = cache.get("/services/report");
namespace zabkeeper {

// What happened to the part of the tree, in order: see TreeFollower. A FollowerFailed is the last
// event.
using TreeEvent = std::variant<TreeChanged, TreeGap, Unreadable, FollowerFailed>;

// All functions may be called by any thread. Each step of the cache shows one zxid: a transaction
// is there as a whole or not at all. The client must outlive the cache, which then ends with
// FollowerFailed. If the client opens a new session after one has expired, the cache goes on in it.
class TreeCache {
 public:
  // The callback gets every event. It runs on its associated executor, without one on the client's.
  TreeCache(const AsyncCalls& client, FollowOptions options, Callback<TreeEvent> on_event = {});
  ~TreeCache();
  TreeCache(const TreeCache&) = delete;
  TreeCache& operator=(const TreeCache&) = delete;

  // Waits until the tree was read for the first time. OperationTimeout if that takes longer.
  Result<wire::Zxid> wait_for(std::chrono::milliseconds timeout) const;

  // The node; nothing if there is none.
  [[nodiscard]] std::optional<TreeNode> get(std::string_view path) const;
  // A copy of all nodes, with the zxid that it shows. The copies share their data.
  [[nodiscard]] std::pair<TreeNodes, wire::Zxid> snapshot() const;
  // Calls the function with all nodes and their zxid, without a copy. Meanwhile the cache does not
  // change, and the client waits: so the function must be short.
  template <typename Function>
  auto read(Function function) const {
    const auto lock = this->lock();
    return function(nodes(), zxid());
  }

 private:
  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return run_->lock(); }
  [[nodiscard]] const TreeNodes& nodes() const { return run_->follower().content(); }
  [[nodiscard]] wire::Zxid zxid() const { return run_->follower().zxid(); }

  using Run = FollowingRun<TreeFollower, TreeEvent, TreeChanged, FollowerFailed>;
  std::shared_ptr<Run> run_;
};

}  // namespace zabkeeper
