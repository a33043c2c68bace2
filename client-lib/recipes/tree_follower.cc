#include "client-lib/recipes/tree_follower.h"

#include <algorithm>

#include "client-lib/recipes/outcome.h"
#include "wire/ensure.h"

namespace zabkeeper {
namespace {

wire::Zxid directly_before(wire::Zxid zxid) { return wire::Zxid::from_bits(zxid.bits() - 1); }

std::size_t size_of(const wire::WatchEvent& event) {
  return event.path.size() + (event.data ? event.data->size() : 0);
}

}  // namespace

// --- What the caller does ---

FollowerActions TreeFollower::begin() {
  ensure(last_ == 0, "a follower begins once");
  FollowerActions actions;
  begin_reading();
  watch(actions);
  return actions;
}

FollowerActions TreeFollower::connection_lost() {
  FollowerActions actions;
  if (last_ == 0 || has_failed_ || is_without_session_ || watching_ != 0) return actions;
  watch(actions);
  return actions;
}

FollowerActions TreeFollower::session_lost() {
  FollowerActions actions;
  if (last_ == 0 || has_failed_) return actions;
  is_without_session_ = false;
  watch(actions);
  return actions;
}

FollowerActions TreeFollower::again() {
  FollowerActions actions;
  if (has_failed_ || !std::exchange(is_paused_, false)) return actions;
  if (watch_ == 0) {
    watch(actions);
  } else {
    proceed(actions);
  }
  return actions;
}

// --- Messages ---

FollowerActions TreeFollower::replied(std::uint64_t number, const Result& result, wire::Zxid zxid) {
  FollowerActions actions;
  if (has_failed_ || number == 0) return actions;
  auto read = reads_.extract(number);
  if (read.empty() && number != watching_ && number != confirming_) return actions;
  if (is_error(result, wire::ErrorCode::session_expired)) {
    if (!read.empty()) to_read_.push_back(std::move(read.mapped()));
    forget_outstanding();
    is_without_session_ = true;
    return actions;
  }
  if (!read.empty()) {
    on_read(std::move(read.mapped()), result, zxid, actions);
  } else if (number == watching_) {
    watching_ = 0;
    on_watched(result, zxid, actions);
  } else {
    confirming_ = 0;
    on_confirmed(result, zxid, actions);
  }
  check_bounds(actions);
  return actions;
}

// Events of one transaction have one zxid. An event of a later one shows that it is complete.
FollowerActions TreeFollower::received(std::uint64_t number, const wire::WatchEvent& event) {
  FollowerActions actions;
  if (has_failed_ || number != watch_ || number == 0) return actions;
  if (event.kind == wire::EventKind::resync) {
    on_gap(event.zxid, actions);
    return actions;
  }
  if (event.zxid <= known_) return actions;
  if (!reading_) advance(directly_before(event.zxid), actions);
  event_bytes_ += size_of(event);
  events_.push_back(event);
  proceed(actions);
  check_bounds(actions);
  return actions;
}

// --- The watch ---

// With `from`, the events since then come before the reply. Those in `events_` come again.
void TreeFollower::watch(FollowerActions& actions) {
  forget_outstanding();
  wire::WatchRequest request;
  request.path = options_.path;
  request.scope = options_.only_node ? wire::WatchScope::node : wire::WatchScope::subtree;
  request.with_data = true;
  if (known_ != wire::Zxid()) request.from = known_;
  ask(std::move(request), actions);
  watch_ = watching_ = last_;
}

void TreeFollower::on_watched(const Result& result, wire::Zxid zxid, FollowerActions& actions) {
  if (reply_of<wire::WatchReply>(result) != nullptr) {
    advance(zxid, actions);
    return proceed(actions);
  }
  if (is_unknown(result)) return watch(actions);
  watch_ = 0;
  if (!is_to_pause(result, actions)) fail(error_of(result), actions);
}

void TreeFollower::forget_outstanding() {
  for (auto& [number, read] : reads_) to_read_.push_back(std::move(read));
  reads_.clear();
  events_.clear();
  event_bytes_ = 0;
  watch_ = watching_ = confirming_ = 0;
  is_paused_ = false;
}

// --- Events ---

// A read is answered after the events that it reflects. (A ping may be answered before a resync.)
void TreeFollower::confirm(FollowerActions& actions) {
  ask(wire::ExistsRequest{options_.path, {}}, actions);
  confirming_ = last_;
}

void TreeFollower::on_confirmed(const Result& result, wire::Zxid zxid, FollowerActions& actions) {
  if (is_to_pause(result, actions)) return;
  // A refusal of the server has its zxid too.
  if (!is_unknown(result)) advance(zxid, actions);
  proceed(actions);
}

void TreeFollower::on_gap(wire::Zxid zxid, FollowerActions& actions) {
  if (!reading_) actions.emplace_back(TreeGap{});
  begin_reading();
  known_ = std::max(known_, zxid);
  proceed(actions);
}

void TreeFollower::advance(wire::Zxid zxid, FollowerActions& actions) {
  while (!events_.empty() && events_.front().zxid <= zxid) tell_transaction(actions);
  known_ = std::max(known_, zxid);
  if (!reading_) content_zxid_ = known_;
}

void TreeFollower::tell_transaction(FollowerActions& actions) {
  TreeContent& content = reading_ ? *reading_ : content_;
  TreeChanged changed{events_.front().zxid, {}};
  while (!events_.empty() && events_.front().zxid == changed.zxid) {
    wire::WatchEvent event = std::move(events_.front());
    events_.pop_front();
    event_bytes_ -= size_of(event);
    if (event.kind == wire::EventKind::deleted) {
      if (content.erase(event.path)) changed.changes.push_back({std::move(event.path), {}});
      continue;
    }
    // The same transaction has deleted the node.
    if (!event.data || !event.stat) continue;
    const TreeNode node{*event.data, event.stat->version, event.stat->czxid, event.stat->mzxid};
    content.put(event.path, node);
    changed.changes.push_back({std::move(event.path), node});
  }
  if (reading_) return;
  content_zxid_ = changed.zxid;
  if (!changed.changes.empty()) actions.emplace_back(std::move(changed));
}

// --- Both ---

void TreeFollower::proceed(FollowerActions& actions) {
  if (has_failed_ || is_paused_ || watch_ == 0 || watching_ != 0) return;
  while (!to_read_.empty() && reads_.size() < options_.reads_max) {
    Read read = std::move(to_read_.back());
    to_read_.pop_back();
    send(std::move(read), actions);
  }
  if (reading_ && reads_.empty()) end_reading(actions);
  if (!reading_ && !events_.empty() && confirming_ == 0) confirm(actions);
}

bool TreeFollower::is_to_pause(const Result& result, FollowerActions& actions) {
  if (result || !is_temporary(result.error().code)) return false;
  if (!std::exchange(is_paused_, true)) actions.emplace_back(Pause{});
  return true;
}

void TreeFollower::check_bounds(FollowerActions& actions) {
  const TreeContent& content = reading_ ? *reading_ : content_;
  if (has_failed_ || (content.nodes().size() <= options_.nodes_max &&
                      content.bytes() + event_bytes_ <= options_.bytes_max)) {
    return;
  }
  fail({wire::ErrorCode::too_large, options_.path + " is larger than this client may hold"},
       actions);
}

void TreeFollower::fail(wire::Error error, FollowerActions& actions) {
  forget_outstanding();
  reading_.reset();
  to_read_.clear();
  has_failed_ = true;
  actions.emplace_back(FollowerFailed{std::move(error)});
}

void TreeFollower::ask(wire::Request request, FollowerActions& actions) {
  actions.emplace_back(Ask{++last_, std::move(request)});
}

}  // namespace zabkeeper
