#include "server/clients/zookeeper_conversation.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "wire/jute/replies.h"

namespace server {
namespace {

namespace jute = wire::jute;

using Kind = ZooKeeperWatches::Kind;

// A long list becomes requests in parts of this size.
constexpr std::size_t part_max = 256;
// The reply to a ping always has this xid.
constexpr std::int32_t ping_xid = -2;

constexpr std::string_view quota_prefix = "/zookeeper/quota/";
constexpr std::string_view quota_limits = "/zookeeper_limits";
constexpr std::string_view quota_stats = "/zookeeper_stats";

wire::RequestId id_of(ZooKeeperWatches::Id watch) { return {std::to_string(watch)}; }

ZooKeeperWatches::Id watch_of(const wire::RequestId& id) {
  ZooKeeperWatches::Id watch = 0;
  std::from_chars(id.json.data(), id.json.data() + id.json.size(), watch);
  return watch;
}

std::optional<Kind> kind_set_by(const wire::Request& request) {
  if (const auto* get = std::get_if<wire::GetRequest>(&request)) {
    if (get->read.watch) return Kind::data;
  } else if (const auto* exists = std::get_if<wire::ExistsRequest>(&request)) {
    if (exists->read.watch) return Kind::exists;
  } else if (const auto* children = std::get_if<wire::ChildrenRequest>(&request)) {
    if (children->read.watch) return Kind::child;
  }
  return std::nullopt;
}

std::string_view path_of(const wire::Request& request) {
  return std::visit(
      [](const auto& each) -> std::string_view {
        if constexpr (requires { each.path; }) return each.path;
        return {};
      },
      request);
}

wire::WatchScope scope_of(Kind kind) {
  switch (kind) {
    case Kind::data:
    case Kind::exists:
    case Kind::persistent: return wire::WatchScope::node;
    case Kind::child:
    case Kind::persistent_child: return wire::WatchScope::children;
    case Kind::recursive: break;
  }
  return wire::WatchScope::subtree;
}

// If a client may not have an identity, it must not try again, as it does after other errors.
std::int32_t number_of(wire::ErrorCode code, jute::Opcode type) {
  const bool is_final = type == jute::Opcode::auth && code == wire::ErrorCode::too_large;
  return jute::error_number(is_final ? wire::ErrorCode::auth_failed : code);
}

// Whether a client of setWatches must connect again after the error of one watch. It does not look
// at errors, and would wait for an event in vain. Without permission it would get no event anyway.
bool must_connect_again(wire::ErrorCode code) {
  return code != wire::ErrorCode::no_auth && code != wire::ErrorCode::bad_arguments;
}

// The event that a watch for one event has missed since the zxid `since`, if there is one.
std::optional<wire::EventKind> missed(Kind kind, const std::optional<wire::Stat>& stat,
                                      std::int64_t since) {
  const auto is_later = [since](wire::Zxid zxid) {
    return static_cast<std::int64_t>(zxid.bits()) > since;
  };
  switch (kind) {
    case Kind::data:
      if (!stat) return wire::EventKind::deleted;
      return is_later(stat->mzxid) ? std::optional(wire::EventKind::changed) : std::nullopt;
    case Kind::exists: return stat ? std::optional(wire::EventKind::created) : std::nullopt;
    case Kind::child:
      if (!stat) return wire::EventKind::deleted;
      return is_later(stat->pzxid) ? std::optional(wire::EventKind::children) : std::nullopt;
    case Kind::persistent:
    case Kind::persistent_child:
    case Kind::recursive: break;
  }
  return std::nullopt;
}

}  // namespace

// --- Requests ---

wire::ParsedFrame ZooKeeperConversation::connect(jute::Connect&& connect) {
  has_read_only_ = connect.has_read_only;
  wire::ParsedFrame frame;
  frame.requests.emplace_back(wire::ClientRequest{{}, {}, std::move(connect.request)});
  return frame;
}

std::optional<wire::ParsedFrame> ZooKeeperConversation::take(jute::ParsedRequest&& request,
                                                             std::string& out) {
  Waiting waiting{request.header};
  wire::ParsedFrame frame;
  frame.requests =
      std::visit([&](auto& body) { return begin(waiting, std::move(body)); }, request.body);
  waiting_.push_back(std::move(waiting));
  if (!wanted_.empty() || !reads_.empty()) frame.requests = next_part();
  answer_complete(out);
  if (frame.requests.empty()) return std::nullopt;
  return frame;
}

bool ZooKeeperConversation::has_requests() const {
  return !closes_ && (!wanted_.empty() || !reads_.empty() || !unwanted_.empty());
}

wire::ParsedFrame ZooKeeperConversation::requests() {
  wire::ParsedFrame frame;
  frame.requests = next_part();
  if (!frame.requests.empty()) return frame;
  const std::vector<WatchId> unwanted = std::exchange(unwanted_, {});
  Waiting waiting;
  waiting.is_ours = true;
  waiting.left = unwanted.size();
  for (const WatchId watch : unwanted) {
    frame.requests.emplace_back(wire::ClientRequest{{}, {}, wire::UnwatchRequest{id_of(watch)}});
  }
  waiting_.push_back(std::move(waiting));
  return frame;
}

ZooKeeperConversation::Requests ZooKeeperConversation::begin(Waiting& waiting, jute::Ask&& ask) {
  wire::ClientRequest request{{}, {}, std::move(ask.request)};
  if (const auto kind = kind_set_by(request.request)) {
    const WatchId watch = watches_.begin(std::string(path_of(request.request)), *kind);
    request.id = id_of(watch);
    waiting.watches.push_back(watch);
  }
  waiting.left = 1;
  waiting.text = std::move(ask.text);
  if (const auto path = path_of(request.request); path.starts_with(quota_prefix)) {
    waiting.text = std::string(path);
    auto* create = std::get_if<wire::CreateRequest>(&request.request);
    if (create != nullptr && create->acl == wire::open_acl()) create->acl.reset();
  }
  Requests requests;
  requests.emplace_back(std::move(request));
  return requests;
}

ZooKeeperConversation::Requests ZooKeeperConversation::begin(Waiting& waiting,
                                                             jute::Multi&& multi) {
  if (multi.types.empty()) {
    jute::write_results_end(waiting.body);
    return {};
  }
  waiting.left = 1;
  waiting.types = std::move(multi.types);
  Requests requests;
  requests.emplace_back(wire::ClientRequest{{}, {}, std::move(multi.request)});
  return requests;
}

ZooKeeperConversation::Requests ZooKeeperConversation::begin(Waiting& waiting,
                                                             jute::MultiRead&& multi) {
  waiting.left = multi.reads.size();
  if (multi.reads.empty()) jute::write_results_end(waiting.body);
  reads_.assign(std::make_move_iterator(multi.reads.begin()),
                std::make_move_iterator(multi.reads.end()));
  return {};
}

ZooKeeperConversation::Requests ZooKeeperConversation::begin(Waiting& waiting,
                                                             jute::AddWatch&& add) {
  if (add.recursive) {
    wanted_.push_back({std::move(add.path), Kind::recursive});
  } else {
    wanted_.push_back({add.path, Kind::persistent});
    wanted_.push_back({std::move(add.path), Kind::persistent_child});
  }
  waiting.left = wanted_.size();
  return {};
}

ZooKeeperConversation::Requests ZooKeeperConversation::begin(Waiting& waiting,
                                                             jute::ChangeWatches&& change) {
  waiting.change = std::move(change);
  return {};
}

ZooKeeperConversation::Requests ZooKeeperConversation::begin(Waiting& waiting,
                                                             jute::SetWatches&& set) {
  const auto want = [this](std::vector<std::string>& paths, std::initializer_list<Kind> kinds) {
    for (std::string& path : paths) {
      for (const Kind kind : kinds) wanted_.push_back({path, kind});
    }
  };
  want(set.data, {Kind::data});
  want(set.exist, {Kind::exists});
  want(set.child, {Kind::child});
  want(set.persistent, {Kind::persistent, Kind::persistent_child});
  want(set.recursive, {Kind::recursive});
  waiting.since = set.since;
  waiting.left = wanted_.size();
  return {};
}

ZooKeeperConversation::Requests ZooKeeperConversation::begin(Waiting& waiting,
                                                             jute::Answer&& answer) {
  const bool is_change = type_of(waiting) == jute::Opcode::reconfig && is_read_only_;
  waiting.error = is_change ? jute::error_number(wire::ErrorCode::not_read_only) : answer.error;
  waiting.then = answer.then;
  ends_ = answer.then != jute::Answer::Then::goes_on;
  waiting.body = std::move(answer.body);
  return {};
}

// The next part of the newest request's long list.
ZooKeeperConversation::Requests ZooKeeperConversation::next_part() {
  Requests requests;
  while (!reads_.empty() && requests.size() < part_max) {
    requests.emplace_back(wire::ClientRequest{{}, {}, std::move(reads_.front())});
    reads_.pop_front();
  }
  while (!wanted_.empty() && requests.size() < part_max) {
    requests.emplace_back(watch_request(waiting_.back(), std::move(wanted_.front())));
    wanted_.pop_front();
  }
  return requests;
}

wire::ClientRequest ZooKeeperConversation::watch_request(Waiting& waiting, Wanted&& wanted) {
  wire::WatchRequest request;
  request.path = wanted.path;
  request.scope = scope_of(wanted.kind);
  request.once = wanted.kind <= Kind::child;
  // The client has received every event up to `since`, the zxid of its last reply.
  if (!request.once && waiting.since.value_or(0) > 0) {
    request.from = wire::Zxid::from_bits(static_cast<std::uint64_t>(*waiting.since));
  }
  const WatchId watch = watches_.begin(std::move(wanted.path), wanted.kind);
  waiting.watches.push_back(watch);
  return {id_of(watch), {}, std::move(request)};
}

void ZooKeeperConversation::remove_watches(const std::vector<WatchId>& watches) {
  unwanted_.insert(unwanted_.end(), watches.begin(), watches.end());
}

// --- Messages ---

void ZooKeeperConversation::on(const wire::ServerMessage& message, std::string& out) {
  if (closes_) return;
  std::visit([&](const auto& each) { on_message(each, out); }, message);
}

void ZooKeeperConversation::on_message(const wire::ConnectedReply& reply, std::string& out) {
  last_zxid_ = reply.zxid;
  is_read_only_ = reply.read_only;
  jute::write_connected(reply, has_read_only_, out);
}

void ZooKeeperConversation::on_message(const wire::ConnectRefused& refused, std::string& out) {
  const wire::ErrorCode code = refused.error.code;
  const bool is_gone =
      code == wire::ErrorCode::session_expired || code == wire::ErrorCode::auth_failed;
  if (is_gone) jute::write_no_session(has_read_only_, out);
}

void ZooKeeperConversation::on_message(const wire::WatchEvent& event, std::string& out) {
  const WatchId watch = watch_of(event.watch);
  if (event.kind == wire::EventKind::resync) {
    // ZooKeeper has no such event. A client that connects again learns what it has missed.
    closes_ = watches_.is_set(watch);
    return;
  }
  if (!watches_.fires(watch, event)) return;
  jute::write_event(event.kind, event.zxid, event.path, out);
}

void ZooKeeperConversation::on_message(const wire::Reply& reply, std::string& out) {
  if (waiting_.empty()) return;
  last_zxid_ = std::max(last_zxid_, reply.zxid);
  const auto code = reply.body ? std::nullopt : std::optional(reply.body.error().code);
  if (code == wire::ErrorCode::session_moved || code == wire::ErrorCode::not_ready ||
      code == wire::ErrorCode::connection_loss) {
    closes_ = true;
    return;
  }
  Waiting& waiting = waiting_.front();
  waiting.left -= 1;
  step(waiting, reply, out);
  answer_complete(out);
}

void ZooKeeperConversation::step(Waiting& waiting, const wire::Reply& reply, std::string& out) {
  if (waiting.is_ours) return;
  const jute::Opcode type = type_of(waiting);
  WatchId watch = 0;
  if (!waiting.watches.empty()) {
    watch = waiting.watches.front();
    waiting.watches.pop_front();
  }
  if (type == jute::Opcode::multi_read) {
    jute::write_read_result(reply.body, waiting.body);
    if (waiting.left == 0) jute::write_results_end(waiting.body);
    return;
  }
  if (type == jute::Opcode::set_watches || type == jute::Opcode::set_watches2) {
    return step_watch(waiting, watch, reply, out);
  }
  if (!reply.body && is_of_quota(waiting, reply.body.error().code)) {
    const bool is_create = type != jute::Opcode::remove;
    const wire::ReplyBody done = is_create ? wire::ReplyBody(wire::CreateReply{*waiting.text, {}})
                                           : wire::ReplyBody(wire::EmptyReply{});
    waiting.error = jute::write_body(type, done, {}, waiting.body);
    return;
  }
  if (!reply.body) {
    if (waiting.error == 0) waiting.error = number_of(reply.body.error().code, type);
    return watches_.forget(watch);
  }
  if (watch != 0 && !watches_.set(watch)) remove_watches({watch});
  if (const auto* multi = std::get_if<wire::MultiReply>(&*reply.body)) {
    jute::write_multi(*multi, waiting.types, waiting.body);
  } else if (type == jute::Opcode::add_watch) {
    if (waiting.left == 0) {
      waiting.error = jute::write_body(type, wire::EmptyReply{}, {}, waiting.body);
    }
  } else {
    waiting.error = jute::write_body(type, *reply.body, waiting.text, waiting.body);
    const bool is_refused = waiting.error != 0 && type != jute::Opcode::exists;
    if (is_refused && watches_.is_set(watch)) {
      watches_.forget(watch);
      remove_watches({watch});
    }
  }
}

// ZooKeeper's tools create and delete the nodes of a quota one by one. Here the server creates and
// deletes the other nodes together with the limits. So these requests succeed without an effect.
bool ZooKeeperConversation::is_of_quota(const Waiting& waiting, wire::ErrorCode code) {
  if (!waiting.text || !waiting.text->starts_with(quota_prefix)) return false;
  const bool is_limits = waiting.text->ends_with(quota_limits);
  switch (type_of(waiting)) {
    case jute::Opcode::create:
    case jute::Opcode::create2:
      return !is_limits &&
             (code == wire::ErrorCode::bad_arguments ||
              (code == wire::ErrorCode::node_exists && waiting.text->ends_with(quota_stats)));
    case jute::Opcode::remove:
      return !is_limits &&
             (code == wire::ErrorCode::bad_arguments || code == wire::ErrorCode::no_node);
    default: return false;
  }
}

// A watch of setWatches is set. If it has missed its event, the client gets that event now.
void ZooKeeperConversation::step_watch(Waiting& waiting, WatchId watch, const wire::Reply& reply,
                                       std::string& out) {
  const auto* set = reply.body ? std::get_if<wire::WatchReply>(&*reply.body) : nullptr;
  if (set == nullptr) {
    closes_ = !reply.body && must_connect_again(reply.body.error().code);
    return watches_.forget(watch);
  }
  const auto found = watches_.find(watch);
  if (!found) return;
  const auto event = missed(found->second, set->stat, *waiting.since);
  if (!event && watches_.set(watch)) return;
  if (event) jute::write_event(*event, reply.zxid, found->first, out);
  watches_.forget(watch);
  remove_watches({watch});
}

void ZooKeeperConversation::answer_complete(std::string& out) {
  while (!closes_ && !waiting_.empty() && waiting_.front().left == 0) {
    answer(waiting_.front(), out);
    waiting_.pop_front();
  }
}

void ZooKeeperConversation::answer(Waiting& waiting, std::string& out) {
  using Then = jute::Answer::Then;
  if (waiting.is_ours) return;
  closes_ = waiting.then != Then::goes_on;
  if (waiting.then == Then::closes_silently) return;
  const jute::Opcode type = type_of(waiting);
  if (waiting.change) {
    const auto& [path, kind] = *waiting.change;
    if (!watches_.has(path, kind)) {
      waiting.error = jute::error_number(wire::ErrorCode::no_watcher);
    } else if (type == jute::Opcode::remove_watches) {
      remove_watches(watches_.remove(path, kind));
    }
  }
  const bool has_zxid = type != jute::Opcode::auth && type != jute::Opcode::sasl;
  const std::int64_t zxid = has_zxid ? static_cast<std::int64_t>(last_zxid_.bits()) : 0;
  const std::int32_t xid = type == jute::Opcode::ping ? ping_xid : waiting.header.xid;
  jute::write_reply(xid, zxid, waiting.error, waiting.body, out);
}

std::size_t ZooKeeperConversation::memory() const {
  std::size_t bytes = watches_.bytes() + watches_.size() * 128 + wanted_.size() * sizeof(Wanted) +
                      reads_.size() * sizeof(wire::Request) + waiting_.size() * sizeof(Waiting);
  if (!waiting_.empty()) bytes += waiting_.front().body.capacity();
  return bytes;
}

}  // namespace server
