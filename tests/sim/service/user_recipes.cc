#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/service/user.h"

// How a user uses the recipes of client-lib.
namespace sim {

void User::use_recipes(std::vector<wire::ClientRequest>& requests, std::size_t room) {
  if (world_.options().locks) use_locks(requests, room);
  if (world_.options().trees) tree_watch_.act(tree_random_);
  if (world_.options().groups) group_use_.act(group_random_);
  if (world_.options().counters) counter_use_.act(counter_random_);
  if (world_.options().queues) {
    put_use_.act(queue_random_);
    take_use_.act(queue_random_);
  }
  if (world_.options().double_barrier > 0) double_barrier_use_.act(double_barrier_random_);
  add_recipe_requests(requests, room);
}

void User::use_locks(std::vector<wire::ClientRequest>& requests, std::size_t room) {
  for (LockUse& each : lock_uses_) each.act(lock_random_);
  if (world_.options().multi_locks) multi_use_.act(lock_random_);
  if (world_.options().barriers) barrier_use_.act(lock_random_);
  leader_watch_.act();
  if (lock_random_.one_in(20) && requests.size() < room) {
    const auto limit = static_cast<std::int32_t>(lock_random_.between(1, 3));
    requests.push_back({{}, {}, zabkeeper::semaphore_limit("/semaphore", limit)});
  }
  if (lock_random_.one_in(60) && requests.size() < room) {
    if (auto removal = some_removal()) requests.push_back({{}, {}, *std::move(removal)});
  }
}

// An operator deletes a node of some client, which may wait or hold.
std::optional<wire::Request> User::some_removal() {
  static const char* const locks[] = {"/lock",     "/rw",      "/semaphore",
                                      "/election", "/multi/a", "/multi/b"};
  const std::string lock = locks[lock_random_.below(world_.options().multi_locks ? 6 : 4)];
  const Model& model = world_.oracle().model();
  const std::vector<std::string> names = model.at(model.last()).children(lock);
  if (names.empty()) return std::nullopt;
  return wire::DeleteRequest{lock + '/' + names[lock_random_.below(names.size())]};
}

// A follower has several requests outstanding.
void User::add_recipe_requests(std::vector<wire::ClientRequest>& requests, std::size_t room) {
  const auto add_one = [&](auto& recipe) {
    if (requests.size() >= room) return;
    auto request = recipe.next();
    if (!request) return;
    requests.push_back(*std::move(request));
    recipe.sent({std::to_string(last_id_ + static_cast<std::int64_t>(requests.size()))});
  };
  for_each_recipe(add_one);
  for (int i = 0; i < 3; ++i) add_one(tree_watch_);
}

bool User::is_of_recipe(const wire::RequestId& id) const {
  return leader_watch_.knows(id) || multi_use_.knows(id) || barrier_use_.knows(id) ||
         tree_watch_.knows(id) || group_use_.knows(id) || counter_use_.knows(id) ||
         put_use_.knows(id) || take_use_.knows(id) || double_barrier_use_.knows(id) ||
         std::ranges::any_of(lock_uses_, [&](const LockUse& each) { return each.knows(id); });
}

// Each user acquires each lock once more, and waits for no barrier. Its follower reaches the
// present, and it leaves its group and its double barrier. It takes the items that are left in the
// queue. Returns whether that is done.
bool User::conclude_recipes(std::size_t room) {
  if (is_greedy()) return true;
  bool is_done = true;
  if (world_.options().locks) {
    for (LockUse& each : lock_uses_) is_done = each.conclude(lock_random_) && is_done;
  }
  if (world_.options().multi_locks) is_done = multi_use_.conclude(lock_random_) && is_done;
  if (world_.options().barriers) is_done = barrier_use_.conclude() && is_done;
  if (world_.options().trees) is_done = tree_watch_.conclude() && is_done;
  if (world_.options().groups) is_done = group_use_.conclude() && is_done;
  if (world_.options().counters) is_done = counter_use_.conclude() && is_done;
  if (world_.options().queues) {
    is_done = put_use_.conclude() && is_done;
    is_done = take_use_.conclude(queue_random_) && is_done;
  }
  if (world_.options().double_barrier > 0) is_done = double_barrier_use_.conclude() && is_done;
  if (is_done) return true;
  std::vector<wire::ClientRequest> requests;
  add_recipe_requests(requests, room);
  if (!requests.empty()) send(std::move(requests));
  return false;
}

}  // namespace sim
