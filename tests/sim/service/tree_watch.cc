#include "tests/sim/service/tree_watch.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

bool shows_state(const wire::ReplyBody& body) {
  return std::holds_alternative<wire::GetReply>(body) ||
         std::holds_alternative<wire::ExistsReply>(body) ||
         std::holds_alternative<wire::ChildrenReply>(body) ||
         std::holds_alternative<wire::WatchReply>(body);
}

}  // namespace

void TreeWatch::act(Random& random) {
  if (!follower_) {
    if (random.one_in(4)) begin(random);
  } else if (random.one_in(300)) {
    end();
  } else if (std::exchange(is_paused_, false)) {
    carry_out(follower_->again());
  }
}

// Greedy users write large data, so a list of everything is more than a share there.
void TreeWatch::begin(Random& random) {
  static const char* const roots[] = {"/a", "/b", "/a/k1"};
  zabkeeper::FollowOptions options;
  options.path = roots[random.below(3)];
  if (!world_.options().small.are_on() && random.one_in(10)) options.path = "/";
  options.only_node = options.path != "/" && random.one_in(5);
  options.page_max = static_cast<std::uint32_t>(random.between(1, 6));
  options.reads_max = random.between(1, 4);
  if (random.one_in(20)) options.nodes_max = 6;
  if (random.one_in(20)) options.bytes_max = 60;
  sequence_.emplace(world_.oracle().model(), options.path, options.only_node);
  sequence_->on_reading(seen_, {});
  follower_.emplace(std::move(options));
  carry_out(follower_->begin());
}

// Its watch stays. Nobody receives the events.
void TreeWatch::end() {
  follower_.reset();
  sequence_.reset();
  messages_.clear();
  is_paused_ = false;
}

bool TreeWatch::conclude() {
  if (!follower_) return true;
  if (std::exchange(is_paused_, false)) carry_out(follower_->again());
  return !follower_ || follower_->is_following();
}

// --- Messages ---

void TreeWatch::receive(const wire::Reply& reply) {
  seen_ = std::max(seen_, reply.zxid);
  if (!follower_) return;
  const auto origin = messages_.origin_of(reply.id);
  if (origin) {
    carry_out(follower_->replied(origin->number, reply.body, reply.zxid));
  }
  if (reply.body && shows_state(*reply.body)) check_told_all(reply.zxid);
}

// No read is answered before the events, or the `resync`, of the changes that it reflects.
void TreeWatch::check_told_all(wire::Zxid zxid) {
  if (!follower_ || !follower_->is_following()) return;
  sequence_->on_told_all(std::max(zxid, follower_->zxid()), follower_->content());
}

void TreeWatch::receive(const wire::WatchEvent& event) {
  if (event.kind != wire::EventKind::resync) seen_ = std::max(seen_, event.zxid);
  const auto origin = messages_.origin_of(event.watch);
  if (origin && follower_) {
    carry_out(follower_->received(origin->number, event));
  }
}

void TreeWatch::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin || !follower_) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(follower_->replied(origin->number, lost, {}));
}

void TreeWatch::lost_connection() {
  if (follower_) carry_out(follower_->connection_lost());
}

void TreeWatch::lost_session() {
  messages_.clear();
  is_paused_ = false;
  if (follower_) carry_out(follower_->session_lost());
}

// --- What the follower tells ---

void TreeWatch::carry_out(const zabkeeper::FollowerActions& actions) {
  Totals& counts = world_.cluster().counts();
  wire::Zxid last_changed;
  for (const zabkeeper::FollowerAction& action : actions) {
    const auto* changed = std::get_if<zabkeeper::TreeChanged>(&action);
    if (changed != nullptr) last_changed = changed->zxid;
  }
  for (const zabkeeper::FollowerAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(0, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (std::holds_alternative<zabkeeper::Unreadable>(action)) {
      counts.count(Rare::tree_unreadable);
    }
    if (const auto* changed = std::get_if<zabkeeper::TreeChanged>(&action)) {
      counts.count(Rare::tree_told);
      const bool is_last = changed->zxid == last_changed;
      sequence_->on_changed(*changed, is_last ? &follower_->content() : nullptr);
    }
    if (std::holds_alternative<zabkeeper::TreeGap>(action)) {
      counts.count(Rare::tree_gap);
      sequence_->on_reading(follower_->zxid(), follower_->content());
    }
    if (std::holds_alternative<zabkeeper::FollowerFailed>(action)) {
      counts.count(Rare::tree_failed);
      return end();
    }
  }
}

}  // namespace sim
