#include "client-lib/conversation.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "client-lib/judge.h"
#include "client-lib/requests.h"
#include "wire/json.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;

// Whether every server would refuse the session for this reason.
bool is_final(ErrorCode code) {
  return code == ErrorCode::bad_arguments || code == ErrorCode::auth_failed ||
         code == ErrorCode::no_auth || code == ErrorCode::invalid_acl ||
         code == ErrorCode::too_large || code == ErrorCode::unimplemented;
}

// A frame of this size is within the limits of every server.
constexpr std::size_t frame_bytes_accepted = 64 * 1024;

// A longer promise is taken for this: no session has a longer timeout.
constexpr std::int64_t promise_ms_max = 86'400'000;

}  // namespace

Conversation::Conversation(SessionOptions options)
    : options_(std::move(options)), timeout_ms_(options_.timeout_ms) {
  wire::ConnectRequest connect;
  connect.auth = options_.auth;
  end_ = refusal_of(connect);
  if (end_) phase_ = Phase::ended;
}

Ticket Conversation::request(wire::Request request, Actions& actions, wire::Encoding encoding,
                             std::vector<wire::Condition> conditions) {
  const Ticket ticket{++last_ticket_};
  Pending pending;
  pending.ticket = ticket;
  pending.request = {id_of(ticket), encoding, std::move(request), std::move(conditions)};

  if (phase_ == Phase::ended) {
    pending.result =
        end_.value_or(wire::Error{ErrorCode::session_expired, "the session has ended"});
  } else if (auto refused = refusal_of(pending.request.request, pending.request.conditions)) {
    pending.result = std::move(refused);
  } else if (const auto* unwatch = std::get_if<wire::UnwatchRequest>(&pending.request.request)) {
    const Ticket watch = ticket_of(unwatch->watch);
    const bool removed = watches_.remove(watch);
    if (watch == Ticket{}) {
      pending.result = wire::Error{ErrorCode::no_watcher, "this client has no such watch"};
    } else if (removed && phase_ != Phase::connected && !find(watch)) {
      // No server has the watch, and it will not be set again.
      pending.result = wire::EmptyReply{};
    }
  } else if (std::holds_alternative<wire::CloseRequest>(pending.request.request) &&
             session_.none() && phase_ == Phase::offline) {
    phase_ = Phase::ended;
    finish_all({ErrorCode::session_expired, "the client was closed before a server was found"});
    pending.result = wire::ClosedReply{};
  } else {
    watches_.add(ticket, pending.request.request);
  }

  const bool waits = !pending.result;
  pending_.push_back(std::move(pending));
  if (phase_ == Phase::connected && waits) held_ = held_ || !send(pending_.back(), actions);
  complete_finished(actions);
  return ticket;
}

bool Conversation::withdraw(Ticket ticket, Actions& actions) {
  const Pending* pending = find(ticket);
  if (!pending || pending->sent || pending->result || may_be_applied(*pending)) return false;
  watches_.remove_unaccepted(ticket);
  std::erase_if(pending_, [&](const Pending& each) { return each.ticket == ticket; });
  complete_finished(actions);
  return true;
}

Actions Conversation::socket_opened(Time now) {
  if (phase_ == Phase::ended) return {CloseSocket{"the session has ended"}};
  phase_ = Phase::connecting;
  opened_at_ = now;
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

Actions Conversation::heartbeat(Time now) {
  Actions actions;
  // While requests are held back, a reply is awaited anyway.
  if (phase_ != Phase::connected || held_ || alone_outstanding_) return actions;
  Pending ping;
  ping.ticket = {++last_ticket_};
  ping.request = {id_of(ping.ticket), {}, wire::PingRequest{}};
  ping.internal = true;
  ping.asked_at = now;
  pending_.push_back(std::move(ping));
  held_ = !send(pending_.back(), actions);
  return actions;
}

Actions Conversation::fail_pending(const std::string& reason) {
  Actions actions;
  if (phase_ == Phase::connected) return actions;
  const wire::Error error{ErrorCode::not_ready,
                          "no server accepted the session (" + reason + "); nothing was sent"};
  for (Pending& pending : pending_) {
    if (pending.result || may_be_applied(pending)) continue;
    pending.result = error;
    watches_.remove_unaccepted(pending.ticket);
  }
  complete_finished(actions);
  return actions;
}

Actions Conversation::deadline_passed(Time now) {
  Actions actions;
  if (phase_ == Phase::ended || !deadline_ || now < *deadline_) return actions;
  end_session({ErrorCode::session_expired,
               "no server has confirmed the session in time, so it may have expired"},
              actions);
  return actions;
}

Actions Conversation::abandon(const wire::Error& error) {
  Actions actions;
  if (phase_ == Phase::ended) return actions;
  end_ = error;
  end_session(error, actions);
  phase_ = Phase::ended;
  return actions;
}

Conversation::Pending* Conversation::find(Ticket ticket) {
  const auto found = std::ranges::lower_bound(pending_, ticket, {}, &Pending::ticket);
  return found != pending_.end() && found->ticket == ticket ? &*found : nullptr;
}

const wire::Request* Conversation::outstanding(const wire::RequestId& id) {
  const Pending* pending = find(ticket_of(id));
  return pending && pending->outstanding() ? &pending->request.request : nullptr;
}

void Conversation::resume_watches() {
  std::vector<Pending> again;
  for (auto& [ticket, request, accepted] : watches_.resume()) {
    if (accepted) {
      Pending resumption;
      resumption.ticket = ticket;
      resumption.request = {id_of(ticket), {}, std::move(request)};
      resumption.internal = true;
      again.push_back(std::move(resumption));
    } else if (Pending* pending = find(ticket)) {
      auto* watch = std::get_if<wire::WatchRequest>(&pending->request.request);
      if (watch) watch->from = request.from;
    }
  }
  // They are sent first: a reply must not come before the events that it reflects.
  pending_.insert(pending_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
}

bool Conversation::send(Pending& pending, Actions& actions) {
  if (alone_outstanding_ || (pending.alone && outstanding_ > 0)) return false;
  Send frame;
  wire::json::write(pending.request, frame.frame);
  pending.frame_bytes = frame.frame.size();
  if (pending.frame_bytes > accepted_bytes_) pending.alone = true;
  if (pending.alone && outstanding_ > 0) return false;
  pending.sent = true;
  ++outstanding_;
  alone_outstanding_ = pending.alone;
  actions.push_back(std::move(frame));
  return true;
}

void Conversation::send_pending(Actions& actions) {
  held_ = false;
  for (Pending& pending : pending_) {
    if (pending.sent || pending.result) continue;
    held_ = !send(pending, actions);
    if (held_) return;
  }
}

void Conversation::finish_all(const wire::Error& error) {
  for (Pending& pending : pending_) {
    if (pending.result) continue;
    pending.result = may_be_applied(pending)
                         ? unknown_outcome(pending, error.message + " before the reply came")
                         : error;
    watches_.remove_unaccepted(pending.ticket);
  }
  outstanding_ = 0;
  alone_outstanding_ = held_ = false;
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
  deadline_.reset();
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

void Conversation::raise_deadline(Time asked_at, std::int64_t valid_ms) {
  if (valid_ms <= 0) return;
  const std::chrono::microseconds safe =
      std::min(std::chrono::milliseconds(valid_ms), std::chrono::milliseconds(promise_ms_max));
  const Time deadline = asked_at + safe - safe / 64;
  if (!deadline_ || *deadline_ < deadline) deadline_ = deadline;
}

void Conversation::on(wire::Reply&& reply, Actions& actions) {
  raise_last_zxid(reply.zxid);
  const auto waiting = std::ranges::find_if(pending_, &Pending::outstanding);
  if (reply.id.none()) {
    if (!reply.body.has_error()) return;
    // Replies come in order, so the frame begins with this request. Nothing in it was carried out.
    const wire::Error& error = reply.body.error();
    if (waiting != pending_.end()) refuse(*waiting, error, actions);
    close_socket("the server rejected a frame: " + error.message, actions);
    return complete_finished(actions);
  }
  if (waiting == pending_.end() || waiting->request.id != reply.id) {
    return close_socket("the server replied out of order", actions);
  }
  watches_.replied(reply.zxid);
  --outstanding_;
  alone_outstanding_ = false;
  last_error_.reset();
  if (reply.body.has_error()) {
    last_error_ = reply.body.error().code;
  } else {
    accepted_bytes_ = std::max(accepted_bytes_, waiting->frame_bytes);
  }
  waiting->result = std::move(reply.body);
  waiting->zxid = reply.zxid;
  on_result(*waiting, actions);
  complete_finished(actions);
  if (held_ && phase_ == Phase::connected) send_pending(actions);
}

// A definite error, without a reply of its own.
void Conversation::refuse(Pending& pending, const wire::Error& error, Actions& actions) {
  --outstanding_;
  pending.result = error;
  watches_.refused(pending.ticket, error, pending.request.id, actions);
}

void Conversation::on_result(const Pending& pending, Actions& actions) {
  const wire::Request& request = pending.request.request;
  if (pending.result->has_error()) {
    return watches_.refused(pending.ticket, pending.result->error(), pending.request.id, actions);
  }
  const auto* pong = std::get_if<wire::PongReply>(&**pending.result);
  if (pong != nullptr && pending.asked_at) raise_deadline(*pending.asked_at, pong->valid_ms);
  if (const auto* auth = std::get_if<wire::AuthRequest>(&request)) {
    const bool known = std::ranges::find(options_.auth, *auth) != options_.auth.end();
    if (!known) options_.auth.push_back(*auth);
  }
  if (std::holds_alternative<wire::CloseRequest>(request)) return on_closed(actions);
  const auto* created = std::get_if<wire::CreateReply>(&**pending.result);
  if (created != nullptr && created->turn) {
    watches_.told_turn(pending.ticket, *created->turn, created->path, pending.request.id, actions);
  }
  const auto* asked = std::get_if<wire::WatchRequest>(&request);
  const auto* told = std::get_if<wire::WatchReply>(&**pending.result);
  if (asked != nullptr && told != nullptr && told->turn) {
    watches_.told_turn(pending.ticket, *told->turn, asked->path, pending.request.id, actions);
  }
  watches_.accepted(pending.ticket, pending.zxid);
}

void Conversation::on_closed(Actions& actions) {
  phase_ = Phase::ended;
  announced_ = false;
  deadline_.reset();
  // Replies come in order, so the rest was sent after the close, and is not carried out.
  for (Pending& pending : pending_) pending.sent = pending.sent && pending.result;
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
  raise_deadline(opened_at_, reply.valid_ms);
  raise_last_zxid(reply.zxid);
  if (!reply.servers.empty()) actions.push_back(LearnServers{std::move(reply.servers)});
  actions.push_back(SessionEvent{
      SessionEvent::Kind::connected, session_, reply.server, reply.role, reply.resumed, {}});
  accepted_bytes_ = frame_bytes_accepted;
  last_error_.reset();
  resume_watches();
  send_pending(actions);
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
