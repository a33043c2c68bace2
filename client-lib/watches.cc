#include "client-lib/watches.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

namespace zabkeeper {
namespace {

wire::Zxid before(wire::Zxid zxid) {
  return zxid.bits() == 0 ? zxid : wire::Zxid::from_bits(zxid.bits() - 1);
}

// The watch that a request sets.
template <typename Request>
std::optional<wire::WatchRequest> watch_of(const Request& request) {
  if constexpr (std::is_same_v<Request, wire::WatchRequest>) {
    return request;
  } else if constexpr (std::is_same_v<Request, wire::CreateRequest>) {
    if (!request.turn) return std::nullopt;
    wire::WatchRequest watch;  // its path is known with the reply
    watch.scope = wire::WatchScope::turn;
    watch.turn = *request.turn;
    return watch;
  } else if constexpr (requires { request.read.watch; }) {
    if (!request.read.watch) return std::nullopt;
    const auto scope = std::is_same_v<Request, wire::ChildrenRequest> ? wire::WatchScope::children
                       : std::is_same_v<Request, wire::CountRequest>  ? wire::WatchScope::subtree
                                                                      : wire::WatchScope::node;
    return wire::WatchRequest{request.path, scope, /*once=*/true, false, {}};
  } else {
    return std::nullopt;
  }
}

}  // namespace

void Watches::add(Ticket ticket, const wire::Request& request) {
  auto wanted = std::visit([](const auto& each) { return watch_of(each); }, request);
  if (!wanted) return;
  Watch watch;
  if (wanted->from) watch.delivered = *wanted->from;
  watch.request = std::move(*wanted);
  watches_.emplace(ticket, std::move(watch));
}

void Watches::remove_unaccepted(Ticket ticket) {
  const auto found = watches_.find(ticket);
  if (found != watches_.end() && !found->second.accepted) watches_.erase(found);
}

void Watches::end_all(const wire::Error& error, Actions& actions) {
  for (const auto& [ticket, watch] : std::exchange(watches_, {})) {
    actions.push_back(Deliver{ticket, error, true});
  }
}

void Watches::replied(wire::Zxid zxid) {
  ++replies_;
  replied_zxid_ = std::max(replied_zxid_, zxid);
}

void Watches::accepted(Ticket ticket, wire::Zxid zxid) {
  const auto found = watches_.find(ticket);
  if (found == watches_.end()) return;
  Watch& watch = found->second;
  if (!watch.accepted && !watch.request.from && zxid > watch.delivered) {
    watch.delivered = zxid;
    watch.events_at_delivered.reset();
  }
  watch.accepted = true;
  watch.accepted_reply = replies_;
}

void Watches::told_turn(Ticket ticket, bool turn, const std::string& path,
                        const wire::RequestId& id, Actions& actions) {
  const auto found = watches_.find(ticket);
  if (found == watches_.end()) return;
  Watch& watch = found->second;
  watch.request.path = path;
  if (!turn) return;
  if (watch.accepted) {
    actions.push_back(Deliver{ticket, last_event(wire::EventKind::turn, watch.request, id), true});
  }
  watches_.erase(found);
}

wire::WatchEvent Watches::last_event(wire::EventKind kind, const wire::WatchRequest& request,
                                     const wire::RequestId& id) const {
  return {.watch = id,
          .kind = kind,
          .path = request.path,
          .zxid = replied_zxid_,
          .data = {},
          .stat = {}};
}

void Watches::refused(Ticket ticket, const wire::Error& error, const wire::RequestId& id,
                      Actions& actions) {
  const auto found = watches_.find(ticket);
  if (found == watches_.end()) return;
  const wire::WatchRequest& request = found->second.request;
  const bool is_gone =
      request.scope == wire::WatchScope::turn && error.code == wire::ErrorCode::no_node;
  if (found->second.accepted && is_gone) {
    actions.push_back(Deliver{ticket, last_event(wire::EventKind::deleted, request, id), true});
  } else if (found->second.accepted) {
    actions.push_back(Deliver{ticket, error, true});
  }
  watches_.erase(found);
}

void Watches::on(wire::WatchEvent&& event, Ticket ticket, Actions& actions) {
  const auto found = watches_.find(ticket);
  if (found == watches_.end()) return;  // Removed while the event was on its way.
  Watch& watch = found->second;
  if (watch.request.scope == wire::WatchScope::turn) {  // its only event
    watches_.erase(found);
    actions.push_back(Deliver{ticket, std::move(event), true});
    return;
  }

  if (event.kind == wire::EventKind::resync) {
    watch.events_at_delivered.reset();
  } else {
    if (event.zxid < watch.delivered) return;
    const bool same_txn = event.zxid == watch.delivered;
    if (same_txn && !watch.events_at_delivered) return;
    if (same_txn && watch.skip > 0) {
      --watch.skip;
      return;
    }
    watch.events_at_delivered = same_txn ? *watch.events_at_delivered + 1 : 1;
  }
  watch.delivered = event.zxid;
  watch.skip = 0;
  const bool last = watch.request.once;
  if (last) watches_.erase(found);
  actions.push_back(Deliver{ticket, std::move(event), last});
}

void Watches::socket_lost() {
  for (auto& [ticket, watch] : watches_) {
    // The reply that accepted the watch proves nothing, because a replay may follow it. A later
    // reply does: the events of the txns that it reflects came before it.
    if (watch.accepted && replies_ > watch.accepted_reply && replied_zxid_ >= watch.delivered) {
      watch.delivered = replied_zxid_;
      watch.events_at_delivered.reset();
    }
  }
}

// A txn whose events were delivered in part is replayed as a whole, and its first events skipped.
void Watches::resume_from_delivered(Watch& watch) {
  watch.skip = watch.events_at_delivered.value_or(0);
  watch.request.from = watch.events_at_delivered ? before(watch.delivered) : watch.delivered;
}

std::vector<Watches::Resumption> Watches::resume() {
  std::vector<Resumption> resumptions;
  for (auto& [ticket, watch] : watches_) {
    if (!watch.accepted && !watch.events_at_delivered) continue;
    resume_from_delivered(watch);
    resumptions.push_back({ticket, watch.request, watch.accepted});
  }
  return resumptions;
}

}  // namespace zabkeeper
