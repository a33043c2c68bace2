#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/service/oracle.h"
#include "tests/sim/violation.h"

// The checks of writes: each has one transaction of the log, with the effect and the reply of the
// model.
namespace sim {

using wire::ErrorCode;

// An ensemble at an older level refuses what only the newest level knows. If the level is never
// lowered, it is not older than the user has seen it.
bool Oracle::is_refused_for_level(const TrackedRequest& tracked,
                                  const wire::Result<wire::ReplyBody>& reply) const {
  if (!needs_newest_level(tracked.request) || reply) return false;
  if (reply.error().code != ErrorCode::unimplemented) return false;
  return is_level_lowered_ || model_.level_at(tracked.seen) < wire::known_levels.greatest;
}

namespace {

// The rest of a kept result after the level was lowered: see session::former_outcome.
struct Former {
  bool is_below_2;  // then there are no receipts, and no Overloaded

  wire::Error operator()(wire::Error error) const {
    if (error.code == ErrorCode::condition_failed) error.code = ErrorCode::bad_version;
    if (error.code == ErrorCode::overloaded && is_below_2) error.code = ErrorCode::throttled;
    error.unmet.reset();
    return error;
  }
  wire::Result<wire::ReplyBody> operator()(const wire::Result<wire::ReplyBody>& result) const {
    if (!result) return (*this)(result.error());
    const auto* multi = std::get_if<wire::MultiReply>(&*result);
    if (multi == nullptr) return result;
    if (multi->branch && multi->failed) return (*this)(multi->results[*multi->failed].error());
    if (multi->branch && is_below_2) return wire::Error{ErrorCode::too_large, "it was done"};
    if (multi->branch) return wire::ReplyBody(wire::TruncatedReply{});
    wire::MultiReply all = *multi;
    for (auto& each : all.results) {
      if (!each) each = (*this)(each.error());
    }
    return wire::ReplyBody(std::move(all));
  }
};

}  // namespace

// The leader judges the lists of a multi as it has applied them: the transactions before this one
// may be pending.
bool Oracle::was_too_large(const TrackedRequest& tracked, const Event& event,
                           wire::Zxid zxid) const {
  if (!std::holds_alternative<wire::MultiRequest>(tracked.request.request)) return false;
  if (!too_large_at(event.reply)) return false;
  for (auto each = model_.events().lower_bound(zxid);
       each != model_.events().begin() && (--each)->first >= tracked.seen;) {
    View view = model_.at(each->first);
    view.begin(zxid, event.txn.time);
    const auto result = perform(tried(tracked.request, event.reply), tracked.session, view);
    if (agrees(tracked, event.reply, result)) return true;
  }
  return false;
}

// Whether the transaction is the result of the request, performed directly before it.
bool Oracle::matches_txn(const TrackedRequest& tracked, const Event& event, wire::Zxid zxid) const {
  const bool closes = std::holds_alternative<wire::CloseRequest>(tracked.request.request);
  if (const auto* close = std::get_if<session::CloseTxn>(&event.txn.body)) {
    return closes && !close->expired;
  }
  if (closes) return false;
  // It was refused because the state was full, and the transaction changes nothing.
  const bool is_refused = std::holds_alternative<session::RefuseTxn>(event.txn.body);
  if (is_refused && !event.reply && is_overload(event.reply.error().code)) return true;
  if (is_refused && is_refused_for_level(tracked, event.reply)) return true;
  View view = model_.before(zxid);
  view.begin(zxid, event.txn.time);
  const auto result = perform(tried(tracked.request, event.reply), tracked.session, view);
  if (is_refused && is_failure(event.reply) && agrees(tracked, event.reply, result)) return true;
  if (is_refused) return was_too_large(tracked, event, zxid);
  if (!std::holds_alternative<znode::Txn>(event.txn.body) || is_failure(result)) return false;
  if (!is_same_result(result, event.reply)) return false;
  return std::ranges::all_of(view.changed_nodes(), [&](const auto& each) {
    const Znode* node = model_.find(each.first, zxid);
    return each.second ? node != nullptr && *node == *each.second : node == nullptr;
  });
}

namespace {

// Before version 3 the lists in the reply of a multi have no bound.
bool is_bounded_multi(const session::Transaction& txn) {
  const auto* body = std::get_if<znode::Txn>(&txn.body);
  const auto* multi = body == nullptr ? nullptr : std::get_if<znode::MultiTxn>(body);
  return multi != nullptr && multi->list_bytes_max != znode::MultiTxn().list_bytes_max;
}

}  // namespace

void Oracle::check_result(const TrackedRequest& tracked, const wire::Reply& reply,
                          wire::Zxid zxid) const {
  const Event& event = model_.events().at(zxid);
  if (zxid > reply.zxid) {
    throw Violation("lost_write", describe(tracked) + " is answered before it is committed");
  }
  if (!matches_txn(tracked, event, zxid)) {
    throw Violation("replay", describe(tracked) + " does not have the effect of transaction " +
                                  wire::to_string(zxid));
  }
  // The reply may have an earlier zxid than the state that it shows, because of a read after it.
  const auto was_above = [&](wire::Level level) { return zxid < model_.last_above(level); };
  const bool is_former =
      (was_above({2}) && agrees(tracked, reply.body, Former{false}(event.reply))) ||
      (was_above({1}) && agrees(tracked, reply.body, Former{true}(event.reply)));
  if (!agrees(tracked, reply.body, event.reply) && !is_former) {
    throw Violation(
        "replay", describe(tracked) + " is not answered as the model at " + wire::to_string(zxid));
  }
  if (is_bounded_multi(event.txn)) check_size(tracked, reply);
}

void Oracle::check_write(ConnectionState& connection, const TrackedRequest& tracked,
                         const wire::Reply& reply) {
  if (connection.dedup && !std::holds_alternative<wire::CloseRequest>(tracked.request.request)) {
    const auto& numbers = model_.sessions().at(connection.session).numbers;
    const auto found = numbers.find(*number_of(tracked));
    const bool is_there = found != numbers.end() && found->second <= reply.zxid;
    if (is_there) return check_result(tracked, reply, found->second);
    const bool may_be = !reply.body && (reply.body.error().code == ErrorCode::session_moved ||
                                        reply.body.error().code == ErrorCode::session_expired);
    // It was refused before it got its number, and a later write has a number: too late for it.
    const bool is_late = !numbers.empty() && numbers.rbegin()->first > *number_of(tracked);
    const bool is_refused =
        !reply.body &&
        (is_overload(reply.body.error().code) || is_refused_for_level(tracked, reply.body) ||
         (is_late && reply.body.error().code == ErrorCode::bad_arguments));
    const bool has_no_turn = is_refused_for_turn(tracked, reply.body);
    const bool is_not_kept = may_be_full_ && is_failure(reply.body);
    if (!may_be && !is_refused && !has_no_turn && !is_not_kept && !is_too_large(tracked))
      throw Violation("exactly_once", describe(tracked) + " has a result and no transaction");
    if (is_refused) return;
  }
  if (is_failure(reply.body)) return check_refused(connection, tracked, reply);

  const auto& own = by_owner_[{connection.owner->server, connection.owner->connection}];
  for (const wire::Zxid zxid : own) {
    const Event& event = model_.events().at(zxid);
    const bool opens = std::holds_alternative<session::OpenTxn>(event.txn.body) ||
                       std::holds_alternative<session::MoveTxn>(event.txn.body);
    if (opens || connection.acknowledged.contains(zxid) || event.txn.number) continue;
    connection.acknowledged.insert(zxid);
    return check_result(tracked, reply, zxid);
  }
  throw Violation("lost_write", describe(tracked) + " is acknowledged, but not in the log");
}

bool Oracle::explains(const wire::Result<wire::ReplyBody>& refusal, const TrackedRequest& tracked,
                      wire::SessionId session, wire::Zxid at) const {
  View view = model_.at(at);
  view.begin({{wire::Epoch::max}, 1}, 0);
  const auto result = perform(tried(tracked.request, refusal), session, view);
  return is_failure(refusal) && agrees(tracked, refusal, result);
}

// Some state between the last one known to its user and the reply must refuse the request in the
// same way. Errors about the session's owner are checked against the present state: the reply may
// have an earlier zxid, because of a read after it.
void Oracle::check_refused(const ConnectionState& connection, const TrackedRequest& tracked,
                           const wire::Reply& reply) const {
  const wire::Zxid known = std::max(tracked.seen, tracked.acknowledged);
  if (!reply.body) {
    const ErrorCode code = reply.body.error().code;
    if (code == ErrorCode::session_moved || code == ErrorCode::session_expired) {
      if (!connection.owner ||
          !model_.owns(connection.session, *connection.owner, connection.checked_to))
        return;
      throw Violation("session_exactness",
                      describe(tracked) + " is refused to its session's owner");
    }
    // Had it been done, the log would have a transaction that no request explains.
    if (is_overload(code) || is_refused_for_level(tracked, reply.body)) return;
    if (explains_no_turn(tracked, reply)) return;
  }
  if (explains(reply.body, tracked, connection.session, reply.zxid)) return;
  auto each = model_.events().upper_bound(reply.zxid);
  while (each != model_.events().begin()) {
    --each;
    if (explains(reply.body, tracked, connection.session, each->first)) return;
    if (each->first <= known) break;
  }
  throw Violation("replay", describe(tracked) + " is refused, and no state explains it");
}

void Oracle::finish() {
  for (const auto& [key, tracked] : numbered_) {
    const auto& numbers = model_.sessions().at(key.first).numbers;
    const auto found = numbers.find(key.second);
    if (found == numbers.end()) continue;
    if (!matches_txn(*tracked, model_.events().at(found->second), found->second)) {
      throw Violation("no_phantom", describe(*tracked) + " became another transaction");
    }
    const bool is_refused = tracked->reply && !tracked->reply->body &&
                            (is_overload(tracked->reply->body.error().code) ||
                             is_refused_for_level(*tracked, tracked->reply->body) ||
                             is_refused_for_turn(*tracked, tracked->reply->body) ||
                             tracked->reply->body.error().code == ErrorCode::bad_arguments);
    if (is_refused && !is_failure(model_.events().at(found->second).reply)) {
      throw Violation("no_phantom", describe(*tracked) + " was refused, but is done");
    }
  }
  for (ConnectionState& connection : ended_) {
    if (!connection.owner) continue;
    for (const wire::Zxid zxid :
         by_owner_[{connection.owner->server, connection.owner->connection}]) {
      const Event& event = model_.events().at(zxid);
      if (connection.acknowledged.contains(zxid) ||
          std::holds_alternative<session::OpenTxn>(event.txn.body) ||
          std::holds_alternative<session::MoveTxn>(event.txn.body)) {
        continue;
      }
      if (event.txn.number) {
        if (numbered_.contains({event.txn.session, *event.txn.number})) continue;
        throw Violation("no_phantom", "a number that no request had");
      }
      while (!connection.unanswered.empty() &&
             !matches_txn(*connection.unanswered.front(), event, zxid)) {
        connection.unanswered.pop_front();
      }
      if (connection.unanswered.empty()) {
        throw Violation("no_phantom", "transaction " + wire::to_string(zxid) +
                                          " is none of its connection's requests");
      }
      connection.unanswered.pop_front();
    }
  }
}

}  // namespace sim
