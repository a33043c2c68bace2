#include <algorithm>
#include <cstdint>
#include <variant>

#include "tests/sim/service/oracle.h"
#include "tests/sim/violation.h"

// Compares turns with those of the model, which counts all siblings each time.
namespace sim {
namespace {

bool removes_sibling(const Event& event, const std::string& path) {
  return std::ranges::any_of(event.changes, [&](const ZnodeChange& change) {
    return change.kind == wire::EventKind::deleted && parent_path(change.path) == parent_path(path);
  });
}

}  // namespace

std::optional<bool> is_turn(const View& view, const std::string& path,
                            const wire::TurnOptions& options) {
  const auto own = sibling_in_model(path.substr(path.rfind('/') + 1));
  if (!own) return std::nullopt;
  std::int32_t before = 0;
  const std::string parent = parent_path(path);
  for (const std::string& name : view.children(parent)) {
    const auto other = sibling_in_model(name);
    if (!other || !(static_cast<std::int32_t>(other->number - own->number) < 0)) continue;
    const bool counts = options.among.empty() ||
                        std::ranges::find(options.among, other->kind) != options.among.end();
    before += counts ? 1 : 0;
  }
  return before < options.limit;
}

bool asks_turn(const TrackedRequest& tracked) {
  const auto* create = std::get_if<wire::CreateRequest>(&tracked.request.request);
  return create != nullptr && create->turn;
}

bool Oracle::is_refused_for_turn(const TrackedRequest& tracked,
                                 const wire::Result<wire::ReplyBody>& reply) const {
  if (!asks_turn(tracked) || reply) return false;
  return reply.error().code == wire::ErrorCode::no_auth ||
         reply.error().code == wire::ErrorCode::too_many_watches;
}

// The server of the client decides this, in a state that its user has seen or a later one.
bool Oracle::explains_no_turn(const TrackedRequest& tracked, const wire::Reply& reply) const {
  if (!is_refused_for_turn(tracked, reply.body)) return false;
  if (reply.body.error().code == wire::ErrorCode::too_many_watches) return true;
  const auto& create = std::get<wire::CreateRequest>(tracked.request.request);
  for (auto each = model_.events().upper_bound(reply.zxid); each != model_.events().begin();) {
    --each;
    const auto parent = model_.at(each->first).find(parent_path(create.path));
    if (parent && !allows(parent->acl, wire::Perm::read)) return true;
    if (each->first <= tracked.seen) break;
  }
  return false;
}

void Oracle::check_turn(ConnectionState& connection, const TrackedRequest& tracked,
                        const wire::Reply& reply, const session::Service& service) {
  const auto* created = reply.body ? std::get_if<wire::CreateReply>(&*reply.body) : nullptr;
  if (created == nullptr) return;
  const auto fail = [&](const char* what) {
    throw Violation("turns", describe(tracked) + " of " + created->path + ' ' + what);
  };
  if (!created->turn) {
    // A repeated create is judged as if it were new, except that it is done.
    const auto parent = model_.at(service.applied()).find(parent_path(created->path));
    const bool may_list = parent && allows(parent->acl, wire::Perm::read);
    const bool has_limits = bounds_.reply_bytes != RequestBounds().reply_bytes;
    if (connection.dedup && (!may_list || has_limits)) return;
    fail("is answered without a turn");
  }
  const wire::TurnOptions& options = *std::get<wire::CreateRequest>(tracked.request.request).turn;
  if (!model_.owns(connection.session, *connection.owner, service.applied())) {
    if (*created->turn) fail("has its turn, and its session does not wait any more");
    return;
  }
  const View view = model_.at(service.applied());
  const auto node = view.find(created->path);
  if (!node || node->stat.czxid != created->stat.czxid) {
    if (*created->turn) fail("has its turn, and is gone");
    connection.due.push_back({.watch = tracked.request.id,
                              .kind = wire::EventKind::deleted,
                              .path = created->path,
                              .zxid = service.applied(),
                              .data = {},
                              .stat = {}});
    return;
  }
  if (*created->turn != is_turn(view, created->path, options)) {
    fail(*created->turn ? "is told a turn that it does not have" : "is not told its turn");
  }
  if (!*created->turn) {
    watch_turn(connection, tracked.request.id, created->path, options, service);
  }
}

// A reply has an earlier zxid than the state in which the turn was judged, if later reads of the
// client were performed before it: see Replies::read_before.
void Oracle::note_turn(const TrackedRequest& tracked, const wire::Reply& reply,
                       const session::Service& service) {
  if (!reply.body) return;
  const auto* created = std::get_if<wire::CreateReply>(&*reply.body);
  if (created != nullptr && created->turn == true) {
    turns_judged_[created->path] = service.applied();
  }
  const auto* watch = std::get_if<wire::WatchReply>(&*reply.body);
  if (watch != nullptr && watch->turn == true) {
    turns_judged_[std::get<wire::WatchRequest>(tracked.request.request).path] = service.applied();
  }
}

wire::Zxid Oracle::turn_judged_at(const std::string& path) const {
  const auto found = turns_judged_.find(path);
  return found == turns_judged_.end() ? wire::Zxid{} : found->second;
}

void Oracle::watch_turn(ConnectionState& connection, const wire::RequestId& id,
                        const std::string& path, const wire::TurnOptions& options,
                        const session::Service& service) const {
  connection.watches.push_back(
      {.id = id, .path = path, .deleted = true, .once = true, .from = {}, .turn = options});
  if (service.watches().is_suspended(connection.session)) connection.lagging.push_back(id);
}

// The turns that a transaction brings are told after its other events.
void Oracle::expect_turns(ConnectionState& connection, wire::Zxid zxid, const Event& event) const {
  const View view = model_.at(zxid);
  std::erase_if(connection.watches, [&](const ExpectedWatch& watch) {
    const bool lags = std::ranges::find(connection.lagging, watch.id) != connection.lagging.end();
    if (!watch.turn || lags || !removes_sibling(event, watch.path)) return false;
    const auto node = view.find(watch.path);
    if (!node || !allows(node->acl, wire::Perm::read)) return false;
    if (is_turn(view, watch.path, *watch.turn) != true) return false;
    connection.due.push_back({.watch = watch.id,
                              .kind = wire::EventKind::turn,
                              .path = watch.path,
                              .zxid = zxid,
                              .data = {},
                              .stat = {}});
    return true;
  });
}

// A turn that was not told when it came, because the client was not allowed to read the node.
bool Oracle::is_late_turn(ConnectionState& connection, const wire::WatchEvent& event) const {
  if (event.kind != wire::EventKind::turn) return false;
  const auto watch = std::ranges::find_if(connection.watches, [&](const ExpectedWatch& each) {
    return each.turn && each.id == event.watch && each.path == event.path;
  });
  if (watch == connection.watches.end()) return false;
  const View view = model_.at(event.zxid);
  const auto node = view.find(watch->path);
  const bool is_right = node && allows(node->acl, wire::Perm::read) &&
                        is_turn(view, watch->path, *watch->turn) == true;
  if (!is_right) throw Violation("turns", text_of(event) + " is not the node's turn");
  connection.watches.erase(watch);
  return true;
}

}  // namespace sim
