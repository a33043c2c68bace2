#include "client-lib/conversation.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "wire/json.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;

wire::RequestId id_of(Ticket ticket) { return {std::to_string(ticket.value)}; }

Ticket ticket_of(const wire::RequestId& id) {
  Ticket ticket;
  const char* end = id.json.data() + id.json.size();
  const auto [stop, error] = std::from_chars(id.json.data(), end, ticket.value);
  return error == std::errc{} && stop == end ? ticket : Ticket{};
}

// Whether doing it twice would differ from doing it once.
bool changes_the_tree(const wire::Request& request) {
  return std::holds_alternative<wire::CreateRequest>(request) ||
         std::holds_alternative<wire::SetRequest>(request) ||
         std::holds_alternative<wire::DeleteRequest>(request) ||
         std::holds_alternative<wire::SetAclRequest>(request) ||
         std::holds_alternative<wire::MultiRequest>(request);
}

std::string what(const wire::Request& request) {
  return std::visit(
      [](const auto& each) -> std::string {
        if constexpr (requires { each.path; }) {
          return each.path;
        } else {
          return "the transaction";
        }
      },
      request);
}

// Whether no other server would answer otherwise.
bool final(ErrorCode code) {
  return code == ErrorCode::bad_arguments || code == ErrorCode::auth_failed ||
         code == ErrorCode::no_auth || code == ErrorCode::invalid_acl ||
         code == ErrorCode::unimplemented;
}

wire::Zxid before(wire::Zxid zxid) {
  return zxid.bits() == 0 ? zxid : wire::Zxid::from_bits(zxid.bits() - 1);
}

}  // namespace

Conversation::Conversation(SessionOptions options)
    : options_(std::move(options)), timeout_ms_(options_.timeout_ms) {}

Ticket Conversation::request(wire::Request request, Actions& actions, wire::Encoding encoding) {
  const Ticket ticket{++last_ticket_};
  Pending pending{ticket, {id_of(ticket), encoding, std::move(request)}, false, false, {}, {}};

  if (phase_ == Phase::ended) {
    pending.answer = wire::Error{ErrorCode::session_expired, "the session has ended"};
  } else if (const auto* unwatch = std::get_if<wire::UnwatchRequest>(&pending.request.request)) {
    const Ticket watch = ticket_of(unwatch->watch);
    const bool had_it = watches_.erase(watch) > 0;
    // No server has the watch now, and none will be asked for it again.
    if (had_it && phase_ != Phase::connected && !find(watch)) pending.answer = wire::EmptyReply{};
  } else if (std::holds_alternative<wire::CloseRequest>(pending.request.request) &&
             session_.none() && phase_ == Phase::offline) {
    phase_ = Phase::ended;
    answer_all({ErrorCode::session_expired, "closed before a server was found"});
    pending.answer = wire::ClosedReply{};
  } else {
    leave_watch(ticket, pending.request.request);
  }

  pending_.push_back(std::move(pending));
  if (phase_ == Phase::connected) send(pending_.back(), actions);
  complete_answered(actions);
  return ticket;
}

Actions Conversation::socket_opened() {
  if (phase_ == Phase::ended) return {CloseSocket{"the session has ended"}};
  phase_ = Phase::connecting;
  wire::ConnectRequest connect;
  connect.timeout_ms = options_.timeout_ms;
  if (!session_.none()) {
    connect.session = session_;
    connect.password = password_;
  }
  if (last_zxid_ > wire::Zxid{}) connect.last_zxid = last_zxid_;
  connect.auth = options_.auth;
  connect.read_only = options_.read_only;
  connect.dedup = options_.dedup;
  connect.batch = true;

  Send send;
  wire::json::write(wire::ClientRequest{{}, {}, std::move(connect)}, send.frame);
  return {send};
}

Actions Conversation::received(std::string_view frame) {
  Actions actions;
  if (phase_ != Phase::connecting && phase_ != Phase::connected) return actions;
  auto messages = wire::json::parse_server_messages(
      frame, [this](const wire::RequestId& id) { return outstanding(id); });
  if (messages.has_error()) {
    close(messages.error().message, actions);
    return actions;
  }
  for (wire::ServerMessage& message : *messages) {
    if (phase_ != Phase::connecting && phase_ != Phase::connected) break;
    std::visit([&](auto&& each) { on(std::move(each), actions); }, std::move(message));
  }
  return actions;
}

Actions Conversation::socket_lost(std::string reason) {
  Actions actions;
  if (phase_ != Phase::ended) phase_ = Phase::offline;

  std::erase_if(pending_, [](const Pending& pending) { return pending.silent; });
  bool closing = false;
  for (Pending& pending : pending_) {
    if (!pending.sent || pending.answer) continue;
    const wire::Request& request = pending.request.request;
    const auto* unwatch = std::get_if<wire::UnwatchRequest>(&request);
    if (unwatch && !find(ticket_of(unwatch->watch))) {
      pending.answer = wire::EmptyReply{};
    } else if (std::holds_alternative<wire::CloseRequest>(request)) {
      closing = true;
    } else if (changes_the_tree(request) && !options_.dedup) {
      pending.answer = wire::Error{ErrorCode::connection_loss,
                                   "the connection was lost before the answer came (" + reason +
                                       "): " + what(request) + " may or may not be changed"};
    } else {
      pending.sent = false;
    }
  }
  for (auto& [ticket, watch] : watches_) {
    // The reply that acknowledged it promises nothing, for a replay may follow it.
    if (watch.acknowledged && replies_ > watch.acknowledged_by && replied_zxid_ >= watch.told) {
      watch.told = replied_zxid_;
      watch.events_at_told.reset();
    }
  }
  if (closing) {
    phase_ = Phase::ended;
    answer_all(
        {ErrorCode::connection_loss, "the connection was lost while the session was closing"});
  }
  complete_answered(actions);
  if (std::exchange(announced_, false)) {
    const auto kind = closing ? SessionEvent::Kind::closed : SessionEvent::Kind::disconnected;
    actions.push_back(
        SessionEvent{kind, session_, 0, wire::Role::looking, false, std::move(reason)});
  }
  if (std::exchange(provisional_, false)) {
    session_ = {};
    password_.clear();
  }
  return actions;
}

Actions Conversation::heartbeat() {
  Actions actions;
  if (phase_ != Phase::connected) return actions;
  const Ticket ticket{++last_ticket_};
  pending_.push_back(
      {ticket, {id_of(ticket), {}, wire::PingRequest{}}, false, /*silent=*/true, {}, {}});
  send(pending_.back(), actions);
  return actions;
}

Actions Conversation::give_up(const std::string& reason) {
  Actions actions;
  if (phase_ == Phase::connected) return actions;
  answer_all({ErrorCode::not_ready, "no server answers (" + reason + "); nothing was sent"});
  complete_answered(actions);
  return actions;
}

Conversation::Pending* Conversation::find(Ticket ticket) {
  const auto found = std::ranges::lower_bound(pending_, ticket, {}, &Pending::ticket);
  return found != pending_.end() && found->ticket == ticket ? &*found : nullptr;
}

const wire::Request* Conversation::outstanding(const wire::RequestId& id) {
  const Pending* pending = find(ticket_of(id));
  return pending && pending->sent && !pending->answer ? &pending->request.request : nullptr;
}

// Events can come before the answer to the request that wants them, so they are expected at once.
void Conversation::leave_watch(Ticket ticket, const wire::Request& request) {
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, wire::WatchRequest>) {
          Watch watch{each, false, {}, {}, 0, 0};
          if (each.from) watch.told = *each.from;
          watches_.emplace(ticket, std::move(watch));
        } else if constexpr (requires { each.read.watch; }) {
          if (!each.read.watch) return;
          const auto scope = std::is_same_v<T, wire::ChildrenRequest> ? wire::WatchScope::children
                             : std::is_same_v<T, wire::CountRequest>  ? wire::WatchScope::subtree
                                                                      : wire::WatchScope::node;
          watches_.emplace(
              ticket, Watch{{each.path, scope, /*once=*/true, false, {}}, false, {}, {}, 0, 0});
        }
      },
      request);
}

// Makes the watch's request ask for what its user was not told yet. A transaction whose events were
// cut in the middle is replayed as a whole, and its beginning skipped.
void Conversation::begin_where_told(Watch& watch) {
  watch.skip = watch.events_at_told.value_or(0);
  watch.request.from = watch.events_at_told ? before(watch.told) : watch.told;
}

void Conversation::set_watches_again() {
  std::vector<Pending> again;
  for (auto& [ticket, watch] : watches_) {
    if (watch.acknowledged) {
      begin_where_told(watch);
      again.push_back({ticket, {id_of(ticket), {}, watch.request}, false, /*silent=*/true, {}, {}});
    } else if (watch.events_at_told) {
      begin_where_told(watch);
      Pending* pending = find(ticket);
      auto* request =
          pending ? std::get_if<wire::WatchRequest>(&pending->request.request) : nullptr;
      if (request) request->from = watch.request.from;
    }
  }
  // Before all else, for a reply must not overtake the events of what it reflects.
  pending_.insert(pending_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
}

void Conversation::send(Pending& pending, Actions& actions) {
  if (pending.sent || pending.answer) return;
  pending.sent = true;
  Send frame;
  wire::json::write(pending.request, frame.frame);
  actions.push_back(std::move(frame));
}

void Conversation::answer_all(const wire::Error& error) {
  for (Pending& pending : pending_) {
    if (pending.answer) continue;
    pending.answer = error;
    const auto watch = watches_.find(pending.ticket);
    if (watch != watches_.end() && !watch->second.acknowledged) watches_.erase(watch);
  }
}

void Conversation::complete_answered(Actions& actions) {
  while (!pending_.empty() && pending_.front().answer) {
    Pending pending = std::move(pending_.front());
    pending_.pop_front();
    if (pending.silent) continue;
    actions.push_back(Complete{pending.ticket, std::move(*pending.answer), pending.zxid});
  }
}

void Conversation::close(std::string reason, Actions& actions) {
  if (phase_ != Phase::ended) phase_ = Phase::offline;
  actions.push_back(CloseSocket{std::move(reason)});
}

void Conversation::end_session(const wire::Error& error, Actions& actions) {
  const wire::SessionId session = std::exchange(session_, {});
  password_.clear();
  answer_all(error);
  for (const auto& [ticket, watch] : std::exchange(watches_, {})) {
    actions.push_back(Deliver{ticket, error, true});
  }
  complete_answered(actions);
  announced_ = false;
  actions.push_back(SessionEvent{SessionEvent::Kind::expired, session, 0, wire::Role::looking,
                                 false, error.message});
  const bool again = options_.after_expiry && error.code == ErrorCode::session_expired;
  if (!again) phase_ = Phase::ended;
  close(error.message, actions);
}

void Conversation::saw(wire::Zxid zxid) { last_zxid_ = std::max(last_zxid_, zxid); }

void Conversation::on(wire::Reply&& reply, Actions& actions) {
  saw(reply.zxid);
  if (reply.id.none()) {
    if (reply.body.has_error())
      close("the server refused a frame: " + reply.body.error().message, actions);
    return;
  }
  const auto waiting = std::ranges::find_if(
      pending_, [](const Pending& pending) { return pending.sent && !pending.answer; });
  if (waiting == pending_.end() || waiting->request.id != reply.id) {
    return close("the server answered out of order", actions);
  }
  ++replies_;
  replied_zxid_ = std::max(replied_zxid_, reply.zxid);
  waiting->answer = std::move(reply.body);
  waiting->zxid = reply.zxid;
  on_answer(*waiting, actions);
  complete_answered(actions);
}

void Conversation::on_answer(const Pending& pending, Actions& actions) {
  const wire::Request& request = pending.request.request;
  const bool refused = pending.answer->has_error();

  if (const auto* auth = std::get_if<wire::AuthRequest>(&request); auth && !refused) {
    if (std::ranges::find(options_.auth, *auth) == options_.auth.end())
      options_.auth.push_back(*auth);
  }
  if (std::holds_alternative<wire::CloseRequest>(request) && !refused) {
    phase_ = Phase::ended;
    announced_ = false;
    answer_all({ErrorCode::session_expired, "the session was closed"});
    watches_.clear();
    actions.push_back(SessionEvent{SessionEvent::Kind::closed,
                                   std::exchange(session_, {}),
                                   0,
                                   wire::Role::looking,
                                   false,
                                   {}});
    return close("closed", actions);
  }
  const auto found = watches_.find(pending.ticket);
  if (found == watches_.end()) return;
  Watch& watch = found->second;
  if (refused) {
    if (watch.acknowledged)
      actions.push_back(Deliver{pending.ticket, pending.answer->error(), true});
    watches_.erase(found);
    return;
  }
  if (!watch.acknowledged && !watch.request.from && pending.zxid > watch.told) {
    watch.told = pending.zxid;
    watch.events_at_told.reset();
  }
  watch.acknowledged = true;
  watch.acknowledged_by = replies_;
}

void Conversation::on(wire::WatchEvent&& event, Actions& actions) {
  saw(event.zxid);
  const auto found = watches_.find(ticket_of(event.watch));
  if (found == watches_.end()) return;  // Unwatched, while it was under way.
  Watch& watch = found->second;

  const bool resync = event.kind == wire::EventKind::resync;
  if (!resync) {
    if (event.zxid < watch.told) return;
    if (event.zxid == watch.told && !watch.events_at_told) return;
    if (event.zxid == watch.told && watch.skip > 0) {
      --watch.skip;
      return;
    }
  }
  if (resync) {
    watch.events_at_told.reset();
  } else {
    watch.events_at_told = event.zxid == watch.told ? *watch.events_at_told + 1 : 1;
  }
  watch.told = event.zxid;
  watch.skip = 0;
  const Ticket ticket = found->first;
  const bool last = watch.request.once;
  if (last) watches_.erase(found);
  actions.push_back(Deliver{ticket, std::move(event), last});
}

void Conversation::on(wire::ConnectedReply&& reply, Actions& actions) {
  if (phase_ != Phase::connecting) return close("the server greeted twice", actions);
  if (!session_.none() && !reply.resumed) {
    return end_session({ErrorCode::session_expired, "the server did not know the session"},
                       actions);
  }
  phase_ = Phase::connected;
  announced_ = true;
  session_ = reply.session;
  password_ = std::move(reply.password);
  timeout_ms_ = reply.timeout_ms;
  provisional_ = reply.read_only && !reply.resumed;
  saw(reply.zxid);
  actions.push_back(SessionEvent{
      SessionEvent::Kind::connected, session_, reply.server, reply.role, reply.resumed, {}});
  set_watches_again();
  for (Pending& pending : pending_) send(pending, actions);
}

void Conversation::on(wire::ConnectRefused&& refused, Actions& actions) {
  // The next session is not to meet what the expired one has left behind.
  if (refused.zxid) saw(*refused.zxid);
  if (refused.error.code == ErrorCode::session_expired || final(refused.error.code)) {
    return end_session(refused.error, actions);
  }
  close(std::string(wire::name(refused.error.code)) + ": " + refused.error.message, actions);
}

void Conversation::on(wire::Expired&&, Actions& actions) {
  end_session({ErrorCode::session_expired, "the session expired"}, actions);
}

void Conversation::on(wire::GoAway&& go_away, Actions& actions) {
  close("the server goes away: " + go_away.reason, actions);
}

}  // namespace zabkeeper
