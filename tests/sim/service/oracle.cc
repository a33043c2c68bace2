#include "tests/sim/service/oracle.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "tests/sim/violation.h"

namespace sim {
namespace {

using wire::ErrorCode;

constexpr bool is_write(const wire::Request& request) {
  return std::holds_alternative<wire::CreateRequest>(request) ||
         std::holds_alternative<wire::SetRequest>(request) ||
         std::holds_alternative<wire::DeleteRequest>(request) ||
         std::holds_alternative<wire::SetAclRequest>(request) ||
         std::holds_alternative<wire::MultiRequest>(request) ||
         std::holds_alternative<wire::CloseRequest>(request);
}

// Whether the reply shows nodes. The reply to a ping, for example, does not.
bool sees_state(const wire::Request& request) {
  return std::visit(
             [](const auto& r) {
               return requires { r.read; };
             },
             request) ||
         std::holds_alternative<wire::WatchRequest>(request) ||
         std::holds_alternative<wire::MultiRequest>(request);
}

// The consistency that a request must have. Admission decides the same in the server; the oracle
// has its own function, so that it does not repeat an error there. Reads name it. A sync always
// promises linearizability, because the server waits for the same confirmation. Other requests,
// such as watches, only promise what the session has seen.
wire::Consistency consistency_of(const wire::Request& request) {
  return std::visit(
      [](const auto& r) -> wire::Consistency {
        if constexpr (requires { r.read.consistency; }) return r.read.consistency;
        if constexpr (std::is_same_v<std::decay_t<decltype(r)>, wire::SyncRequest>) {
          return wire::Linearizable{};
        }
        if constexpr (std::is_same_v<std::decay_t<decltype(r)>, wire::WatchRequest>) {
          if (r.from) return wire::AtLeast{*r.from};
        }
        return wire::SessionConsistency{};
      },
      request);
}

}  // namespace

bool is_failure(const wire::Result<wire::ReplyBody>& body) {
  if (!body) return true;
  const auto* multi = std::get_if<wire::MultiReply>(&*body);
  return multi != nullptr && multi->failed;
}

bool needs_newest_level(const wire::ClientRequest& request) {
  if (!request.conditions.empty()) return true;
  const auto* multi = std::get_if<wire::MultiRequest>(&request.request);
  if (multi == nullptr) return false;
  return std::ranges::any_of(multi->ops, [](const wire::MultiOp& op) {
    const auto* check = std::get_if<wire::CheckRequest>(&op);
    const auto* list = std::get_if<wire::ChildrenRequest>(&op);
    return (check != nullptr && !check->tests.none()) ||
           (list != nullptr &&
            (list->before || list->reverse || list->order == wire::ChildOrder::sequence));
  });
}

namespace {

bool is_same_error(const wire::Error& a, const wire::Error& b) {
  return a.code == b.code && a.unmet == b.unmet;
}

}  // namespace

bool is_same_result(const wire::Result<wire::ReplyBody>& a,
                    const wire::Result<wire::ReplyBody>& b) {
  if (!a || !b) return !a && !b && is_same_error(a.error(), b.error());
  const auto* multi = std::get_if<wire::MultiReply>(&*a);
  const auto* other = std::get_if<wire::MultiReply>(&*b);
  if (multi == nullptr || other == nullptr) return *a == *b;
  return multi->failed == other->failed && multi->branch == other->branch &&
         std::ranges::equal(multi->results, other->results, [](const auto& x, const auto& y) {
           if (!x || !y) return !x && !y && is_same_error(x.error(), y.error());
           return *x == *y;
         });
}

std::optional<std::int64_t> number_of(const TrackedRequest& tracked) {
  std::int64_t number = 0;
  const std::string& text = tracked.request.id.json;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::string describe(const TrackedRequest& tracked) {
  return "request " + tracked.request.id.json + " of user " + std::to_string(tracked.user);
}

std::string text_of(const wire::WatchEvent& event) {
  return "watch " + event.watch.json + ' ' + std::string(wire::name(event.kind)) + ' ' +
         event.path + " at " + wire::to_string(event.zxid);
}

// --- The log ---

void Oracle::on_delivered(const zab::Txn& txn, Time now) {
  if (txn.zxid <= model_.last()) return;
  const Event& event = model_.commit(txn);
  check_promise(event, now);
  by_owner_[{event.txn.owner.server, event.txn.owner.connection}].push_back(txn.zxid);
}

void Oracle::on_applied(std::size_t server, const session::Service& service) {
  const auto [entry, is_new] = digests_.emplace(service.applied().bits(), service.digest());
  if (entry->second == service.digest()) return;
  throw Violation("equal_digest", "server " + std::to_string(server + 1) + " differs at " +
                                      wire::to_string(service.applied()));
}

void Oracle::compare(const session::Service& service) const {
  const wire::Zxid zxid = service.applied();
  const auto differs = [&](const std::string& where) {
    throw Violation("replay",
                    "at " + wire::to_string(zxid) + " the model's tree differs: " + where);
  };
  const View view = model_.at(zxid);
  const std::vector<std::string> paths = view.below("/");
  if (service.tree().size() != paths.size() + 1) differs("in size");
  std::map<wire::SessionId, std::vector<std::string>> ephemerals;
  for (const std::string& path : paths) {
    const znode::Node* node = service.tree().find(path);
    const Znode expected = *view.find(path);
    if (node == nullptr) differs(path);
    if (node->stat() != expected.stat || node->data() != expected.data ||
        node->acl().list() != expected.acl) {
      differs(path);
    }
    if (!expected.stat.ephemeral_owner.none()) {
      ephemerals[expected.stat.ephemeral_owner].push_back(path);
    }
  }
  if (service.tree().ephemeral_owner_count() != ephemerals.size()) differs("index of ephemerals");
  for (const auto& [session, owned] : ephemerals) {
    if (service.tree().ephemerals(session) != owned) differs("index of ephemerals");
    if (service.sessions().find(session) == nullptr) {
      throw Violation("ephemerals", "session " + wire::to_hex(session.value) + " is not open");
    }
  }
  std::size_t open = 0;
  for (const auto& [id, session] : model_.sessions()) {
    const bool is_open =
        session.opened <= zxid && (session.closed == wire::Zxid{} || session.closed > zxid);
    const session::Session* real = service.sessions().find(id);
    if ((real != nullptr) != is_open) {
      throw Violation("session_exactness", "table of sessions at " + wire::to_string(zxid));
    }
    if (!is_open) continue;
    open += 1;
    if (!model_.owns(id, real->owner, zxid)) {
      throw Violation("session_exactness", "owner of session " + wire::to_hex(id.value));
    }
  }
  if (service.sessions().size() != open) {
    throw Violation("session_exactness", "sessions that were never opened");
  }
}

// --- Messages ---

void Oracle::on_request_received(ConnectionState& connection,
                                 std::shared_ptr<TrackedRequest> tracked) {
  if (std::holds_alternative<wire::ConnectRequest>(tracked->request.request)) return;
  if (connection.dedup && is_write(tracked->request.request)) {
    if (const auto number = number_of(*tracked)) numbered_[{tracked->session, *number}] = tracked;
  }
  connection.unanswered.push_back(std::move(tracked));
}

void Oracle::on_message_sent(ConnectionState& connection, const wire::ServerMessage& message,
                             const session::Service& service) {
  expect(connection, service);
  if (const auto* event = std::get_if<wire::WatchEvent>(&message))
    return on_event(connection, *event);
  if (const auto* connected = std::get_if<wire::ConnectedReply>(&message)) {
    if (connected->zxid != service.applied()) throw Violation("replay", "the connect's zxid");
    return on_connected(connection, *connected);
  }
  if (const auto* reply = std::get_if<wire::Reply>(&message)) {
    return on_reply(connection, *reply, service);
  }
  if (std::holds_alternative<wire::Expired>(message)) {
    const ModelSession& session = model_.sessions().at(connection.session);
    if (!session.expired || session.closed > service.applied()) {
      throw Violation("session_exactness", "a session that did not expire gets an expired message");
    }
  }
  if (const auto* refused = std::get_if<wire::ConnectRefused>(&message)) {
    if (refused->error.code != ErrorCode::session_expired) return;
    const auto session = model_.sessions().find(connection.session);
    if (session != model_.sessions().end() &&
        (session->second.closed == wire::Zxid{} || !refused->zxid ||
         session->second.closed > *refused->zxid)) {
      throw Violation("session_exactness", "an open session is refused as expired");
    }
  }
}

void Oracle::on_reply(ConnectionState& connection, const wire::Reply& reply,
                      const session::Service& service) {
  if (connection.unanswered.empty()) throw Violation("fifo", "a reply without a request");
  const std::shared_ptr<TrackedRequest> tracked = std::move(connection.unanswered.front());
  connection.unanswered.pop_front();
  if (reply.id != tracked->request.id) {
    throw Violation("fifo", describe(*tracked) + " is answered with the reply to " + reply.id.json);
  }
  if (reply.zxid > service.applied() || reply.zxid < connection.zxid) {
    throw Violation("reads_never_go_back", describe(*tracked) + " is answered at " +
                                               wire::to_string(reply.zxid) + " after " +
                                               wire::to_string(connection.zxid));
  }
  if (!connection.due.empty() && connection.due.front().zxid <= reply.zxid) {
    throw Violation("watch_before_new_data",
                    describe(*tracked) + " is answered before " + text_of(connection.due.front()));
  }
  connection.zxid = reply.zxid;
  if (!std::holds_alternative<wire::MultiRequest>(tracked->request.request)) {
    check_size(*tracked, reply);
  }
  if (asks_turn(*tracked)) {
    wire::Reply without_turn = reply;
    if (reply.body) std::get<wire::CreateReply>(*without_turn.body).turn.reset();
    check_write(connection, *tracked, without_turn);
    check_turn(connection, *tracked, reply, service);
  } else if (is_write(tracked->request.request)) {
    check_write(connection, *tracked, reply);
  } else {
    check_read(connection, *tracked, reply, service);
  }
  note_turn(*tracked, reply, service);
  for (const wire::WatchEvent& event : connection.early) {
    const bool is_being_set = std::ranges::any_of(
        connection.unanswered, [&](const auto& other) { return other->request.id == event.watch; });
    if (!is_being_set)
      throw Violation("watches", "an event without a watch or a change: " + text_of(event));
  }
}

void Oracle::on_reply_received(TrackedRequest& tracked, const wire::Reply& reply, Time now) {
  tracked.returned = now;
  tracked.reply = reply;
  // From now on, linearizable reads must see this write.
  if (is_write(tracked.request.request) && !is_failure(reply.body)) {
    acknowledged_ = std::max(acknowledged_, reply.zxid);
  }
}

// --- Reads ---

void Oracle::check_read(ConnectionState& connection, const TrackedRequest& tracked,
                        const wire::Reply& reply, const session::Service& service) {
  const wire::Request& request = tracked.request.request;
  if (!reply.body) {
    const ErrorCode code = reply.body.error().code;
    const bool is_owner = connection.owner &&
                          model_.owns(connection.session, *connection.owner, connection.checked_to);
    if (code == ErrorCode::session_moved || code == ErrorCode::session_expired) {
      if (!is_owner) return;
      throw Violation("session_exactness",
                      describe(tracked) + " is refused to its session's owner");
    }
    // The read was not carried out, and can be sent again.
    if (code == ErrorCode::overloaded || code == ErrorCode::too_many_watches) return;
    if (code == ErrorCode::server_behind) {
      const wire::Consistency wanted = consistency_of(request);
      const auto* at_least = std::get_if<wire::AtLeast>(&wanted);
      // The server decided this when it gave up waiting, and sent the reply later, in its order.
      if (at_least != nullptr && at_least->zxid > tracked.seen) return;
    }
  }
  if (reply.zxid < tracked.seen) {
    throw Violation("reads_never_go_back",
                    describe(tracked) + " sees an older state than its user has seen");
  }
  const wire::Consistency wanted = consistency_of(request);
  if (std::holds_alternative<wire::Linearizable>(wanted) && reply.body &&
      reply.zxid < tracked.acknowledged) {
    throw Violation("linearizable_reads", describe(tracked) + " sees up to " +
                                              wire::to_string(reply.zxid) + " and not " +
                                              wire::to_string(tracked.acknowledged));
  }
  if (const auto* at_least = std::get_if<wire::AtLeast>(&wanted);
      at_least != nullptr && reply.body && reply.zxid < at_least->zxid) {
    throw Violation("linearizable_reads",
                    describe(tracked) + " sees an older state than it required");
  }
  if (const auto* unwatch = std::get_if<wire::UnwatchRequest>(&request)) {
    const auto is_its = [&](const auto& event) { return event.watch == unwatch->watch; };
    const auto withheld = std::ranges::find_if(connection.withheld, is_its);
    if (withheld != connection.withheld.end() && withheld->zxid <= reply.zxid) {
      throw Violation("watches", "an event was not sent: " + text_of(*withheld));
    }
    std::erase(connection.lagging, unwatch->watch);
    const auto removed = std::erase_if(connection.withheld, is_its) +
                         std::erase_if(connection.watches, [&](const ExpectedWatch& watch) {
                           return watch.id == unwatch->watch;
                         });
    if (reply.body ? removed == 0
                   : removed != 0 || reply.body.error().code != ErrorCode::no_watcher) {
      throw Violation("watches", describe(tracked) + ": unwatch");
    }
    return;
  }

  // A turn is told as it is now, though the reply may have the zxid of a later read.
  const auto* watch = std::get_if<wire::WatchRequest>(&request);
  const bool tells_turn = watch != nullptr && watch->scope == wire::WatchScope::turn;
  View view = model_.at(tells_turn ? service.applied() : reply.zxid);
  auto expected = perform(request, connection.session, view);
  if (expected && std::holds_alternative<wire::WatchReply>(*expected)) {
    std::get<wire::WatchReply>(*expected).watch = tracked.request.id;
  }
  const auto* pong = reply.body ? std::get_if<wire::PongReply>(&*reply.body) : nullptr;
  if (pong != nullptr) {
    expected = wire::ReplyBody{*pong};
    promise(connection.session, tracked.invoked, pong->valid_ms);
  }
  if (!agrees(tracked, reply.body, expected)) {
    throw Violation("replay", describe(tracked) + " is not answered as the model at " +
                                  wire::to_string(reply.zxid));
  }
  if (!connection.lagging.empty() && reply.zxid >= connection.lags_at && sees_state(request)) {
    throw Violation("watch_before_new_data", describe(tracked) +
                                                 " is answered before the resync of watch " +
                                                 connection.lagging.front().json);
  }
  if (reply.body) set_watch(connection, tracked, reply, service);
}

}  // namespace sim
