#include "client-lib/conversation.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>
#include <variant>

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

// Whether sending it twice could have another effect than sending it once.
bool is_write(const wire::Request& request) {
  return std::holds_alternative<wire::CreateRequest>(request) ||
         std::holds_alternative<wire::SetRequest>(request) ||
         std::holds_alternative<wire::DeleteRequest>(request) ||
         std::holds_alternative<wire::SetAclRequest>(request) ||
         std::holds_alternative<wire::MultiRequest>(request);
}

std::string subject_of(const wire::Request& request) {
  return std::visit(
      [](const auto& each) -> std::string {
        if constexpr (requires { each.path; }) {
          return each.path;
        } else {
          return "the multi";
        }
      },
      request);
}

// Whether every server would refuse the session for this reason.
bool is_final(ErrorCode code) {
  return code == ErrorCode::bad_arguments || code == ErrorCode::auth_failed ||
         code == ErrorCode::no_auth || code == ErrorCode::invalid_acl ||
         code == ErrorCode::unimplemented;
}

SessionEvent session_end(SessionEvent::Kind kind, wire::SessionId session, std::string reason) {
  return {kind, session, 0, wire::Role::looking, false, std::move(reason)};
}

}  // namespace

Conversation::Conversation(SessionOptions options)
    : options_(std::move(options)), timeout_ms_(options_.timeout_ms) {}

Ticket Conversation::request(wire::Request request, Actions& actions, wire::Encoding encoding) {
  const Ticket ticket{++last_ticket_};
  Pending pending{ticket, {id_of(ticket), encoding, std::move(request)}, false, false, {}, {}};

  if (phase_ == Phase::ended) {
    pending.result = wire::Error{ErrorCode::session_expired, "the session has ended"};
  } else if (const auto* unwatch = std::get_if<wire::UnwatchRequest>(&pending.request.request)) {
    const Ticket watch = ticket_of(unwatch->watch);
    const bool removed = watches_.remove(watch);
    // Offline, no server has the watch, and it will not be set again.
    if (removed && phase_ != Phase::connected && !find(watch)) pending.result = wire::EmptyReply{};
  } else if (std::holds_alternative<wire::CloseRequest>(pending.request.request) &&
             session_.none() && phase_ == Phase::offline) {
    phase_ = Phase::ended;
    finish_all({ErrorCode::session_expired, "the client was closed before a server was found"});
    pending.result = wire::ClosedReply{};
  } else {
    watches_.add(ticket, pending.request.request);
  }

  pending_.push_back(std::move(pending));
  if (phase_ == Phase::connected) send(pending_.back(), actions);
  complete_finished(actions);
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
    close_socket(messages.error().message, actions);
    return actions;
  }
  for (wire::ServerMessage& message : *messages) {
    if (phase_ != Phase::connecting && phase_ != Phase::connected) break;
    std::visit([&](auto& each) { on(std::move(each), actions); }, message);
  }
  return actions;
}

Actions Conversation::socket_lost(std::string reason) {
  Actions actions;
  if (phase_ != Phase::ended) phase_ = Phase::offline;

  std::erase_if(pending_, [](const Pending& pending) { return pending.internal; });
  bool closing = false;
  for (Pending& pending : pending_) {
    if (!pending.sent || pending.result) continue;
    if (std::holds_alternative<wire::CloseRequest>(pending.request.request)) closing = true;
    pending.result = result_after_loss(pending, reason);
    if (!pending.result) pending.sent = false;
  }
  watches_.socket_lost();
  if (closing) {
    phase_ = Phase::ended;
    finish_all(
        {ErrorCode::connection_loss, "the connection was lost while the session was closing"});
  }
  complete_finished(actions);
  if (std::exchange(announced_, false)) {
    const auto kind = closing ? SessionEvent::Kind::closed : SessionEvent::Kind::disconnected;
    actions.push_back(session_end(kind, session_, std::move(reason)));
  }
  if (std::exchange(provisional_, false)) {
    session_ = {};
    password_.clear();
  }
  return actions;
}

// The result of a request that was sent over a socket that was lost; none: it is sent again.
std::optional<wire::Result<wire::ReplyBody>> Conversation::result_after_loss(
    const Pending& pending, const std::string& reason) {
  const wire::Request& request = pending.request.request;
  const auto* unwatch = std::get_if<wire::UnwatchRequest>(&request);
  if (unwatch && !find(ticket_of(unwatch->watch))) return wire::EmptyReply{};
  if (!is_write(request) || options_.dedup) return std::nullopt;
  return wire::Error{ErrorCode::connection_loss, "the connection was lost before the reply came (" +
                                                     reason + "): " + subject_of(request) +
                                                     " may or may not be changed"};
}

Actions Conversation::heartbeat() {
  Actions actions;
  if (phase_ != Phase::connected) return actions;
  const Ticket ticket{++last_ticket_};
  pending_.push_back(
      {ticket, {id_of(ticket), {}, wire::PingRequest{}}, false, /*internal=*/true, {}, {}});
  send(pending_.back(), actions);
  return actions;
}

Actions Conversation::fail_pending(const std::string& reason) {
  Actions actions;
  if (phase_ == Phase::connected) return actions;
  finish_all(
      {ErrorCode::not_ready, "no server accepted the session (" + reason + "); nothing was sent"});
  complete_finished(actions);
  return actions;
}

Conversation::Pending* Conversation::find(Ticket ticket) {
  const auto found = std::ranges::lower_bound(pending_, ticket, {}, &Pending::ticket);
  return found != pending_.end() && found->ticket == ticket ? &*found : nullptr;
}

const wire::Request* Conversation::outstanding(const wire::RequestId& id) {
  const Pending* pending = find(ticket_of(id));
  return pending && pending->sent && !pending->result ? &pending->request.request : nullptr;
}

void Conversation::resume_watches() {
  std::vector<Pending> again;
  for (auto& [ticket, request, accepted] : watches_.resume()) {
    if (accepted) {
      again.push_back(
          {ticket, {id_of(ticket), {}, std::move(request)}, false, /*internal=*/true, {}, {}});
    } else if (Pending* pending = find(ticket)) {
      auto* watch = std::get_if<wire::WatchRequest>(&pending->request.request);
      if (watch) watch->from = request.from;
    }
  }
  // They are sent first: a reply must not come before the events that it reflects.
  pending_.insert(pending_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
}

void Conversation::send(Pending& pending, Actions& actions) {
  if (pending.sent || pending.result) return;
  pending.sent = true;
  Send frame;
  wire::json::write(pending.request, frame.frame);
  actions.push_back(std::move(frame));
}

void Conversation::finish_all(const wire::Error& error) {
  for (Pending& pending : pending_) {
    if (pending.result) continue;
    pending.result = error;
    watches_.remove_unaccepted(pending.ticket);
  }
}

void Conversation::complete_finished(Actions& actions) {
  while (!pending_.empty() && pending_.front().result) {
    Pending pending = std::move(pending_.front());
    pending_.pop_front();
    if (pending.internal) continue;
    actions.push_back(Complete{pending.ticket, std::move(*pending.result), pending.zxid});
  }
}

void Conversation::close_socket(std::string reason, Actions& actions) {
  if (phase_ != Phase::ended) phase_ = Phase::offline;
  actions.push_back(CloseSocket{std::move(reason)});
}

void Conversation::end_session(const wire::Error& error, Actions& actions) {
  const wire::SessionId session = std::exchange(session_, {});
  password_.clear();
  finish_all(error);
  watches_.end_all(error, actions);
  complete_finished(actions);
  announced_ = false;
  actions.push_back(session_end(SessionEvent::Kind::expired, session, error.message));
  const bool again = options_.after_expiry && error.code == ErrorCode::session_expired;
  if (!again) phase_ = Phase::ended;
  close_socket(error.message, actions);
}

void Conversation::raise_last_zxid(wire::Zxid zxid) { last_zxid_ = std::max(last_zxid_, zxid); }

void Conversation::on(wire::Reply&& reply, Actions& actions) {
  raise_last_zxid(reply.zxid);
  if (reply.id.none()) {
    if (reply.body.has_error()) {
      close_socket("the server rejected a frame: " + reply.body.error().message, actions);
    }
    return;
  }
  const auto waiting = std::ranges::find_if(
      pending_, [](const Pending& pending) { return pending.sent && !pending.result; });
  if (waiting == pending_.end() || waiting->request.id != reply.id) {
    return close_socket("the server replied out of order", actions);
  }
  watches_.replied(reply.zxid);
  waiting->result = std::move(reply.body);
  waiting->zxid = reply.zxid;
  on_result(*waiting, actions);
  complete_finished(actions);
}

void Conversation::on_result(const Pending& pending, Actions& actions) {
  const wire::Request& request = pending.request.request;
  if (pending.result->has_error()) {
    return watches_.refused(pending.ticket, pending.result->error(), actions);
  }
  if (const auto* auth = std::get_if<wire::AuthRequest>(&request)) {
    const bool known = std::ranges::find(options_.auth, *auth) != options_.auth.end();
    if (!known) options_.auth.push_back(*auth);
  }
  if (std::holds_alternative<wire::CloseRequest>(request)) return on_closed(actions);
  watches_.accepted(pending.ticket, pending.zxid);
}

void Conversation::on_closed(Actions& actions) {
  phase_ = Phase::ended;
  announced_ = false;
  finish_all({ErrorCode::session_expired, "the session was closed"});
  watches_.remove_all();
  actions.push_back(session_end(SessionEvent::Kind::closed, std::exchange(session_, {}), {}));
  close_socket("closed", actions);
}

void Conversation::on(wire::WatchEvent&& event, Actions& actions) {
  raise_last_zxid(event.zxid);
  const Ticket ticket = ticket_of(event.watch);
  watches_.on(std::move(event), ticket, actions);
}

void Conversation::on(wire::ConnectedReply&& reply, Actions& actions) {
  if (phase_ != Phase::connecting) {
    return close_socket("the server accepted the session twice", actions);
  }
  if (!session_.none() && !reply.resumed) {
    return end_session({ErrorCode::session_expired, "the server does not know the session"},
                       actions);
  }
  phase_ = Phase::connected;
  announced_ = true;
  session_ = reply.session;
  password_ = std::move(reply.password);
  timeout_ms_ = reply.timeout_ms;
  provisional_ = reply.read_only && !reply.resumed;
  raise_last_zxid(reply.zxid);
  actions.push_back(SessionEvent{
      SessionEvent::Kind::connected, session_, reply.server, reply.role, reply.resumed, {}});
  resume_watches();
  for (Pending& pending : pending_) send(pending, actions);
}

void Conversation::on(wire::ConnectRefused&& refused, Actions& actions) {
  // The next session must not see the ephemerals of the expired one.
  if (refused.zxid) raise_last_zxid(*refused.zxid);
  if (refused.error.code == ErrorCode::session_expired || is_final(refused.error.code)) {
    return end_session(refused.error, actions);
  }
  close_socket(std::string(wire::name(refused.error.code)) + ": " + refused.error.message, actions);
}

void Conversation::on(wire::Expired&&, Actions& actions) {
  end_session({ErrorCode::session_expired, "the session expired"}, actions);
}

void Conversation::on(wire::GoAway&& go_away, Actions& actions) {
  close_socket("the server sent goaway: " + go_away.reason, actions);
}

}  // namespace zabkeeper
