#include "tools/shell/subtree_removal.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <variant>

#include "tools/shell/words.h"

namespace shell {
namespace {

using std::chrono::milliseconds;
using wire::ErrorCode;

// A transaction of so many nodes takes the leader a few milliseconds. Other clients wait for that
// time.
constexpr std::uint64_t weight_max = 1'000;
constexpr std::size_t first_items_max = 500;
constexpr std::uint32_t page = 1'000;

// How often a node is emptied again, if other clients fill it meanwhile.
constexpr int rounds_max = 8;

constexpr int attempts_max = 8;
constexpr milliseconds first_pause{50};

// Whether the request may be sent again. Either nothing was done, or a repetition does no harm: a
// deleted node cannot be deleted again.
bool may_be_repeated(ErrorCode code) {
  return code == ErrorCode::overloaded || code == ErrorCode::throttled ||
         code == ErrorCode::connection_loss;
}

}  // namespace

SubtreeRemoval::SubtreeRemoval(zabkeeper::Client& client, std::string path, std::int32_t version,
                               Progress progress)
    : client_(client),
      path_(std::move(path)),
      version_(version),
      progress_(std::move(progress)),
      items_max_(first_items_max) {}

SubtreeRemoval::Outcome SubtreeRemoval::run() {
  nodes_at_first_ = count();
  const bool removed = remove_below(path_) && remove_one({path_});
  outcome_.nodes.left = removed ? 0 : count();
  outcome_.nodes.deleted = nodes_at_first_ - std::min(nodes_at_first_, outcome_.nodes.left);
  return outcome_;
}

bool SubtreeRemoval::go_on() {
  outcome_.nodes.left = count();
  outcome_.nodes.deleted = nodes_at_first_ - std::min(nodes_at_first_, outcome_.nodes.left);
  outcome_.interrupted = !progress_(outcome_.nodes);
  return !outcome_.interrupted;
}

bool SubtreeRemoval::fail(wire::Error error, const std::string& path) {
  outcome_.failure = Failure{std::move(error), path};
  return false;
}

bool SubtreeRemoval::remove_below(const std::string& path) {
  wire::ChildrenRequest request{path, /*with_stat=*/true, false, {}, page, {}};
  for (;;) {
    auto reply = client_.call(request);
    if (reply.has_error()) {
      return reply.error().code == ErrorCode::no_node || fail(reply.error(), path);
    }
    Items items;
    std::uint64_t weight = 0;
    for (const wire::Child& child : reply->children) {
      const auto below = child.stat ? static_cast<std::uint64_t>(child.stat->num_children) : 0;
      if (items.size() == items_max_ || (!items.empty() && weight + below + 1 > weight_max)) {
        if (!remove(std::exchange(items, {}))) return false;
        weight = 0;
      }
      items.push_back({join(path, child.name), below + 1});
      weight += below + 1;
    }
    if (!items.empty() && !remove(std::move(items))) return false;
    if (!reply->more || reply->children.empty()) return true;
    request.after = reply->children.back().name;
  }
}

// Deletes the items, in several parts if they are too large for one transaction.
bool SubtreeRemoval::remove(Items items) {
  while (!items.empty()) {
    if (!go_on()) return false;
    if (items.size() == 1) return remove_one(items.front());
    const std::size_t checks = version_ == wire::any_version ? 0 : 1;

    const auto reply = ask(items);
    outcome_.zxid = reply.zxid;
    if (reply.result.has_error() && reply.result.error().code != ErrorCode::too_large) {
      return fail(reply.result.error(), path_);
    }
    std::size_t failed = items.size() / 2;
    if (reply.result.has_value()) {
      const auto* multi = std::get_if<wire::MultiReply>(&*reply.result);
      if (multi == nullptr || !multi->failed) return true;
      const wire::Error& error = multi->results[*multi->failed].error();
      if (*multi->failed < checks) return fail(error, path_);
      failed = *multi->failed - checks;
      if (error.code == ErrorCode::no_node) {
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(failed));
        continue;
      }
      if (error.code != ErrorCode::too_large) return fail(error, items[failed].path);
    } else {
      items_max_ = std::max<std::size_t>(failed, 1);
    }
    const auto middle =
        items.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(failed, 1));
    if (!remove(Items(items.begin(), middle))) return false;
    items.erase(items.begin(), middle);
  }
  return true;
}

// Deletes one item. Empties its node first if the subtree is too large for one transaction.
bool SubtreeRemoval::remove_one(const Item& item) {
  for (int round = 1;; ++round) {
    if (!go_on()) return false;
    const auto reply = ask({item});
    outcome_.zxid = reply.zxid;
    wire::Error error;
    if (reply.result.has_error()) {
      error = reply.result.error();
    } else {
      const auto* multi = std::get_if<wire::MultiReply>(&*reply.result);
      if (multi == nullptr || !multi->failed) return true;
      error = multi->results[*multi->failed].error();
    }
    if (error.code == ErrorCode::no_node) return true;
    if (error.code != ErrorCode::too_large || round == rounds_max) return fail(error, item.path);
    if (!remove_below(item.path)) return false;
  }
}

zabkeeper::Client::AnyReply SubtreeRemoval::ask(const Items& items) {
  milliseconds pause = first_pause;
  for (int attempt = 1;; ++attempt) {
    auto reply = client_.ask(request_for(items));
    if (!reply.result.has_error() || !may_be_repeated(reply.result.error().code) ||
        attempt == attempts_max) {
      return reply;
    }
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

wire::MultiRequest SubtreeRemoval::request_for(const Items& items) const {
  wire::MultiRequest request;
  if (version_ != wire::any_version) request.ops.emplace_back(wire::CheckRequest{path_, version_});
  for (const Item& item : items) {
    request.ops.emplace_back(wire::DeleteRequest{item.path, wire::any_version, true});
  }
  return request;
}

std::uint64_t SubtreeRemoval::count() {
  const auto reply = client_.count(path_);
  return reply.has_error() ? 0 : reply->count + 1;
}

}  // namespace shell
