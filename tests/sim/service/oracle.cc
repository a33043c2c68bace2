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

bool failed(const wire::Result<wire::ReplyBody>& body) {
  if (!body) return true;
  const auto* multi = std::get_if<wire::MultiReply>(&*body);
  return multi != nullptr && multi->failed;
}

// Errors are compared by their codes.
bool same(const wire::Result<wire::ReplyBody>& a, const wire::Result<wire::ReplyBody>& b) {
  if (!a || !b) return !a && !b && a.error().code == b.error().code;
  const auto* multi = std::get_if<wire::MultiReply>(&*a);
  const auto* other = std::get_if<wire::MultiReply>(&*b);
  if (multi == nullptr || other == nullptr) return *a == *b;
  return multi->failed == other->failed &&
         std::ranges::equal(multi->results, other->results, [](const auto& x, const auto& y) {
           if (!x || !y) return !x && !y && x.error().code == y.error().code;
           return *x == *y;
         });
}

std::optional<std::int64_t> number_of(const Asked& asked) {
  std::int64_t number = 0;
  const std::string& text = asked.request.id.json;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

// Reads say it; a sync promises a linearizable answer without being asked (the server waits for the
// same confirmation), and so must be held to it. Whatever else is no write, a watch above all, has
// no way to ask for more than what its session has seen.
wire::Consistency consistency_of(const wire::Request& request) {
  return std::visit(
      [](const auto& r) -> wire::Consistency {
        if constexpr (requires { r.read.consistency; }) return r.read.consistency;
        if constexpr (std::is_same_v<std::decay_t<decltype(r)>, wire::SyncRequest>) {
          return wire::Linearizable{};
        }
        return wire::SessionConsistency{};
      },
      request);
}

}  // namespace

std::string what(const Asked& asked) {
  return "request " + asked.request.id.json + " of user " + std::to_string(asked.user);
}

std::string in_words(const wire::WatchEvent& event) {
  return "watch " + event.watch.json + ' ' + std::string(wire::name(event.kind)) + ' ' +
         event.path + " at " + wire::to_string(event.zxid);
}

// --- The log ---

void Oracle::on_delivered(const zab::Txn& txn) {
  if (txn.zxid <= model_.last()) return;
  const Event& event = model_.commit(txn);
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

// --- What is said ---

void Oracle::on_taken(Heard& line, std::shared_ptr<Asked> asked) {
  if (std::holds_alternative<wire::ConnectRequest>(asked->request.request)) return;
  if (line.dedup && is_write(asked->request.request)) {
    if (const auto number = number_of(*asked)) numbered_[{asked->session, *number}] = asked;
  }
  line.waiting.push_back(std::move(asked));
}

void Oracle::on_said(Heard& line, const wire::ServerMessage& message,
                     const session::Service& service) {
  expect(line, service.applied());
  if (const auto* event = std::get_if<wire::WatchEvent>(&message)) return on_event(line, *event);
  if (const auto* connected = std::get_if<wire::ConnectedReply>(&message)) {
    if (connected->zxid != service.applied()) throw Violation("replay", "the connect's zxid");
    return on_connected(line, *connected);
  }
  if (const auto* reply = std::get_if<wire::Reply>(&message)) {
    return on_reply(line, *reply, service);
  }
  if (std::holds_alternative<wire::Expired>(message)) {
    const ModelSession& session = model_.sessions().at(line.session);
    if (!session.expired || session.closed > service.applied()) {
      throw Violation("session_exactness", "a session is told that it expired, and it did not");
    }
  }
  if (const auto* refused = std::get_if<wire::ConnectRefused>(&message)) {
    if (refused->error.code != ErrorCode::session_expired) return;
    const auto session = model_.sessions().find(line.session);
    if (session != model_.sessions().end() &&
        (session->second.closed == wire::Zxid{} || !refused->zxid ||
         session->second.closed > *refused->zxid)) {
      throw Violation("session_exactness", "an open session is said to be none");
    }
  }
}

void Oracle::on_connected(Heard& line, const wire::ConnectedReply& reply) {
  if (line.session.none() == reply.resumed || (reply.resumed && line.session != reply.session)) {
    throw Violation("session_exactness", "another session than the one asked for");
  }
  if (reply.zxid < line.zxid) {
    throw Violation("reads_never_go_back", "a client is connected to a server that is behind it");
  }
  line.session = reply.session;
  line.zxid = reply.zxid;
  const auto event = model_.events().find(reply.zxid);
  const bool is_its =
      event != model_.events().end() && (reply.resumed ? event->second.txn.session == reply.session
                                                       : reply.session.value == reply.zxid.bits());
  if (!is_its) throw Violation("session_exactness", "connected by another transaction");
  line.owner = event->second.txn.owner;
}

void Oracle::on_reply(Heard& line, const wire::Reply& reply, const session::Service& service) {
  if (line.waiting.empty()) throw Violation("fifo", "a reply to nothing");
  const std::shared_ptr<Asked> asked = std::move(line.waiting.front());
  line.waiting.pop_front();
  if (reply.id != asked->request.id) {
    throw Violation("fifo", what(*asked) + " is answered with the reply to " + reply.id.json);
  }
  if (reply.zxid > service.applied() || reply.zxid < line.zxid) {
    throw Violation("reads_never_go_back", what(*asked) + " is answered at " +
                                               wire::to_string(reply.zxid) + " after " +
                                               wire::to_string(line.zxid));
  }
  if (!line.due.empty() && line.due.front().zxid <= reply.zxid) {
    throw Violation("watch_before_new_data",
                    what(*asked) + " is answered before " + in_words(line.due.front()));
  }
  line.zxid = reply.zxid;
  if (is_write(asked->request.request)) {
    check_write(line, *asked, reply);
  } else {
    check_read(line, *asked, reply, service);
  }
  for (const wire::WatchEvent& event : line.early) {
    const bool is_being_set = std::ranges::any_of(
        line.waiting, [&](const auto& other) { return other->request.id == event.watch; });
    if (!is_being_set) throw Violation("watches", "an event of nothing: " + in_words(event));
  }
}

void Oracle::on_arrived(Asked& asked, const wire::Reply& reply, Time now) {
  asked.returned = now;
  asked.reply = reply;
  // Whoever knows a write's outcome, or reads one, knows this much.
  if (is_write(asked.request.request) && !failed(reply.body)) {
    acknowledged_ = std::max(acknowledged_, reply.zxid);
  }
}

// --- Reads ---

void Oracle::check_read(Heard& line, const Asked& asked, const wire::Reply& reply,
                        const session::Service& service) {
  const wire::Request& request = asked.request.request;
  if (!reply.body) {
    const ErrorCode code = reply.body.error().code;
    const bool is_owner = line.owner && model_.owns(line.session, *line.owner, line.expected);
    if (code == ErrorCode::session_moved || code == ErrorCode::session_expired) {
      if (!is_owner) return;
      throw Violation("session_exactness", what(asked) + " is refused to its session's owner");
    }
    if (code == ErrorCode::server_behind) {
      const wire::Consistency wanted = consistency_of(request);
      const auto* at_least = std::get_if<wire::AtLeast>(&wanted);
      // Decided when its patience ended, and said in its turn.
      if (at_least != nullptr && at_least->zxid > asked.seen) return;
    }
  }
  if (reply.zxid < asked.seen) {
    throw Violation("reads_never_go_back", what(asked) + " sees less than its user has");
  }
  const wire::Consistency wanted = consistency_of(request);
  if (std::holds_alternative<wire::Linearizable>(wanted) && reply.body &&
      reply.zxid < asked.acknowledged) {
    throw Violation("linearizable_reads", what(asked) + " sees up to " +
                                              wire::to_string(reply.zxid) + " and not " +
                                              wire::to_string(asked.acknowledged));
  }
  if (const auto* at_least = std::get_if<wire::AtLeast>(&wanted);
      at_least != nullptr && reply.body && reply.zxid < at_least->zxid) {
    throw Violation("linearizable_reads", what(asked) + " sees less than it asked for");
  }
  if (const auto* unwatch = std::get_if<wire::UnwatchRequest>(&request)) {
    const auto is_its = [&](const auto& event) { return event.watch == unwatch->watch; };
    const auto untold = std::ranges::find_if(line.untold, is_its);
    if (untold != line.untold.end() && untold->zxid <= reply.zxid) {
      throw Violation("watches", "an event is not told: " + in_words(*untold));
    }
    const auto gone =
        std::erase_if(line.untold, is_its) +
        std::erase_if(line.watches, [&](const Armed& watch) { return watch.id == unwatch->watch; });
    if (reply.body ? gone == 0 : gone != 0 || reply.body.error().code != ErrorCode::no_watcher) {
      throw Violation("watches", what(asked) + ": unwatch");
    }
    return;
  }

  View view = model_.at(reply.zxid);
  auto expected = perform(request, line.session, view);
  if (expected && std::holds_alternative<wire::WatchReply>(*expected)) {
    std::get<wire::WatchReply>(*expected).watch = asked.request.id;
  }
  if (!same(reply.body, expected)) {
    throw Violation(
        "replay", what(asked) + " is not answered as the model at " + wire::to_string(reply.zxid));
  }
  if (reply.body) arm(line, asked, reply, service);
}

// --- Writes ---

// Whether the request, judged just before, is what the transaction does.
bool Oracle::is_of(const Asked& asked, const Event& event, wire::Zxid zxid) const {
  const bool closes = std::holds_alternative<wire::CloseRequest>(asked.request.request);
  if (const auto* close = std::get_if<session::CloseTxn>(&event.txn.body)) {
    return closes && !close->expired;
  }
  if (closes) return false;
  View view = model_.before(zxid);
  view.begin(zxid, event.txn.time);
  const auto result = perform(asked.request.request, asked.session, view);
  if (std::holds_alternative<session::RefuseTxn>(event.txn.body)) {
    return failed(result) && same(result, event.reply);
  }
  if (!std::holds_alternative<znode::Txn>(event.txn.body) || failed(result)) return false;
  if (!same(result, event.reply)) return false;
  return std::ranges::all_of(view.done(), [&](const auto& each) {
    const Znode* node = model_.find(each.first, zxid);
    return each.second ? node != nullptr && *node == *each.second : node == nullptr;
  });
}

void Oracle::check_outcome(const Asked& asked, const wire::Reply& reply, wire::Zxid zxid) const {
  const Event& event = model_.events().at(zxid);
  if (zxid > reply.zxid) {
    throw Violation("lost_write", what(asked) + " is answered before it is committed");
  }
  if (!is_of(asked, event, zxid)) {
    throw Violation("replay",
                    what(asked) + " is not what transaction " + wire::to_string(zxid) + " does");
  }
  if (!same(reply.body, event.reply)) {
    throw Violation("replay",
                    what(asked) + " is not answered as the model at " + wire::to_string(zxid));
  }
}

void Oracle::check_write(Heard& line, const Asked& asked, const wire::Reply& reply) {
  if (line.dedup && !std::holds_alternative<wire::CloseRequest>(asked.request.request)) {
    const auto& numbers = model_.sessions().at(line.session).numbers;
    const auto found = numbers.find(*number_of(asked));
    const bool is_there = found != numbers.end() && found->second <= reply.zxid;
    if (is_there) return check_outcome(asked, reply, found->second);
    const bool may_be = !reply.body && (reply.body.error().code == ErrorCode::session_moved ||
                                        reply.body.error().code == ErrorCode::session_expired);
    if (!may_be)
      throw Violation("exactly_once", what(asked) + " has an outcome and no transaction");
  }
  if (failed(reply.body)) return check_refused(line, asked, reply);

  const auto& own = by_owner_[{line.owner->server, line.owner->connection}];
  for (const wire::Zxid zxid : own) {
    const Event& event = model_.events().at(zxid);
    const bool opens = std::holds_alternative<session::OpenTxn>(event.txn.body) ||
                       std::holds_alternative<session::MoveTxn>(event.txn.body);
    if (opens || line.used.contains(zxid) || event.txn.number) continue;
    line.used.insert(zxid);
    return check_outcome(asked, reply, zxid);
  }
  throw Violation("lost_write", what(asked) + " is acknowledged and not in the log");
}

bool Oracle::explains(const wire::Result<wire::ReplyBody>& refusal, const wire::Request& request,
                      wire::SessionId session, wire::Zxid at) const {
  View view = model_.at(at);
  view.begin({{wire::Epoch::max}, 1}, 0);
  const auto result = perform(request, session, view);
  return failed(result) && same(result, refusal);
}

// Some state between what its user knew and the reply must refuse it in the same way. That its
// session is another's is said as of now, even if the reply is dated back for a read behind it.
void Oracle::check_refused(const Heard& line, const Asked& asked, const wire::Reply& reply) const {
  const wire::Zxid known = std::max(asked.seen, asked.acknowledged);
  if (!reply.body) {
    const ErrorCode code = reply.body.error().code;
    if (code == ErrorCode::session_moved || code == ErrorCode::session_expired) {
      if (!line.owner || !model_.owns(line.session, *line.owner, line.expected)) return;
      throw Violation("session_exactness", what(asked) + " is refused to its session's owner");
    }
  }
  if (explains(reply.body, asked.request.request, line.session, reply.zxid)) return;
  auto each = model_.events().upper_bound(reply.zxid);
  while (each != model_.events().begin()) {
    --each;
    if (explains(reply.body, asked.request.request, line.session, each->first)) return;
    if (each->first <= known) break;
  }
  throw Violation("replay", what(asked) + " is refused, and no state explains it");
}

void Oracle::finish() {
  for (const auto& [key, asked] : numbered_) {
    const auto& numbers = model_.sessions().at(key.first).numbers;
    const auto found = numbers.find(key.second);
    if (found == numbers.end()) continue;
    if (!is_of(*asked, model_.events().at(found->second), found->second)) {
      throw Violation("no_phantom", what(*asked) + " became another transaction");
    }
  }
  for (Heard& line : ended_) {
    if (!line.owner) continue;
    for (const wire::Zxid zxid : by_owner_[{line.owner->server, line.owner->connection}]) {
      const Event& event = model_.events().at(zxid);
      if (line.used.contains(zxid) || std::holds_alternative<session::OpenTxn>(event.txn.body) ||
          std::holds_alternative<session::MoveTxn>(event.txn.body)) {
        continue;
      }
      if (event.txn.number) {
        if (numbered_.contains({event.txn.session, *event.txn.number})) continue;
        throw Violation("no_phantom", "a number that nobody gave");
      }
      while (!line.waiting.empty() && !is_of(*line.waiting.front(), event, zxid)) {
        line.waiting.pop_front();
      }
      if (line.waiting.empty()) {
        throw Violation("no_phantom", "transaction " + wire::to_string(zxid) +
                                          " is none of its connection's requests");
      }
      line.waiting.pop_front();
    }
  }
}

}  // namespace sim
