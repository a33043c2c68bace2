#include "tests/sim/service/model.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/violation.h"

namespace sim {
namespace {

[[noreturn]] void fail(wire::Zxid zxid, const std::string& what) {
  throw Violation("replay", "transaction " + wire::to_string(zxid) + ": " + what);
}

std::string parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string with_slash(const std::string& path) { return path == "/" ? path : path + '/'; }

}  // namespace

bool allows(const wire::Acl& acl, wire::Perm perm) {
  return std::ranges::any_of(acl, [&](const wire::AclEntry& entry) {
    return entry.scheme == "world" && (entry.perms & static_cast<unsigned>(perm)) != 0;
  });
}

// --- A view ---

std::optional<Znode> View::find(const std::string& path) const {
  if (const auto done = done_.find(path); done != done_.end()) return done->second;
  const Znode* node = model_.find(path, at_);
  return node == nullptr ? std::nullopt : std::optional(*node);
}

Znode View::at(const std::string& path) const {
  auto node = find(path);
  if (!node) fail(zxid_, path + " does not exist");
  return *std::move(node);
}

std::vector<std::string> View::paths_under(const std::string& prefix) const {
  std::vector<std::string> paths;
  const auto collect = [&](const auto& map) {
    for (auto each = map.lower_bound(prefix); each != map.end() && each->first.starts_with(prefix);
         ++each) {
      if (each->first != "/" && find(each->first)) paths.push_back(each->first);
    }
  };
  collect(model_.paths_);
  collect(done_);
  std::ranges::sort(paths);
  paths.erase(std::ranges::unique(paths).begin(), paths.end());
  return paths;
}

std::vector<std::string> View::children(const std::string& path) const {
  const std::string prefix = with_slash(path);
  std::vector<std::string> names;
  for (const std::string& each : paths_under(prefix)) {
    const std::string name = each.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> View::below(const std::string& path) const {
  return paths_under(with_slash(path));
}

std::vector<std::string> View::ephemerals(wire::SessionId session) const {
  std::vector<std::string> paths;
  for (const std::string& path : paths_under("/")) {
    if (find(path)->stat.ephemeral_owner == session) paths.push_back(path);
  }
  return paths;
}

void View::create(const std::string& path, Znode node) {
  Znode above = at(parent(path));
  if (find(path)) fail(zxid_, path + " is there already");
  if (!above.stat.ephemeral_owner.none()) fail(zxid_, path + " is below an ephemeral node");
  above.creations += 1;
  above.stat.cversion += 1;
  above.stat.num_children += 1;
  above.stat.pzxid = zxid_;
  done_[parent(path)] = above;

  node.stat.czxid = node.stat.mzxid = node.stat.pzxid = zxid_;
  node.stat.ctime = node.stat.mtime = time_;
  node.stat.data_length = static_cast<std::int32_t>(node.data.size());
  done_[path] = std::move(node);
  told_.push_back({.kind = wire::EventKind::created, .path = path, .data = {}, .stat = {}});
  told_.push_back(
      {.kind = wire::EventKind::children, .path = parent(path), .data = {}, .stat = {}});
}

void View::set(const std::string& path, const wire::Bytes& data) {
  Znode node = at(path);
  node.data = data;
  node.stat.data_length = static_cast<std::int32_t>(data.size());
  node.stat.version += 1;
  node.stat.mzxid = zxid_;
  node.stat.mtime = time_;
  done_[path] = std::move(node);
  told_.push_back({.kind = wire::EventKind::changed, .path = path, .data = {}, .stat = {}});
}

void View::set_acl(const std::string& path, const wire::Acl& acl) {
  Znode node = at(path);
  node.acl = acl;
  node.stat.aversion += 1;
  done_[path] = std::move(node);
}

void View::erase(const std::string& path, bool of_a_parent_that_stays) {
  const Znode node = at(path);
  if (node.stat.num_children != 0) fail(zxid_, path + " has children");
  Znode above = at(parent(path));
  above.stat.cversion += 1;
  above.stat.num_children -= 1;
  above.stat.pzxid = zxid_;
  done_[parent(path)] = std::move(above);
  done_[path] = std::nullopt;
  told_.push_back(
      {.kind = wire::EventKind::deleted, .path = path, .data = {}, .stat = {}, .acl = node.acl});
  if (of_a_parent_that_stays) {
    told_.push_back(
        {.kind = wire::EventKind::children, .path = parent(path), .data = {}, .stat = {}});
  }
}

// Children before their parents, in name order.
void View::erase_subtree(const std::string& path) {
  for (const std::string& name : children(path)) {
    const std::string child = with_slash(path) + name;
    const auto erase_below = [&](const auto& self, const std::string& root) -> void {
      for (const std::string& each : children(root)) self(self, root + '/' + each);
      erase(root, false);
    };
    erase_below(erase_below, child);
  }
  erase(path);
}

std::vector<ZnodeChange> View::changes() const {
  std::vector<ZnodeChange> changes;
  std::map<std::pair<std::string, wire::EventKind>, bool> said;
  for (ZnodeChange change : told_) {
    const auto forget = [&] {
      said.erase({change.path, wire::EventKind::changed});
      said.erase({change.path, wire::EventKind::children});
    };
    const auto node = find(change.path);
    switch (change.kind) {
      case wire::EventKind::deleted: forget(); break;
      case wire::EventKind::created: forget(); break;
      default:
        if (!node && change.kind == wire::EventKind::children) continue;
        if (std::exchange(said[{change.path, change.kind}], true)) continue;
    }
    if (node && change.kind != wire::EventKind::deleted) {
      change.stat = node->stat;
      change.acl = node->acl;
      if (change.kind != wire::EventKind::children) change.data = node->data;
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

// --- The model ---

Model::Model() {
  const auto put = [&](const std::string& path, std::int32_t children, wire::Acl acl) {
    Znode node;
    node.stat.num_children = children;
    node.acl = std::move(acl);
    // As in ZooKeeper, what there is from the beginning was not created.
    node.stat.cversion = -children;
    paths_[path].push_back({{}, std::move(node)});
    nodes_ += 1;
  };
  put("/", 1, wire::open_acl());
  put("/zookeeper", 2, wire::open_acl());
  put("/zookeeper/config", 0, {{"world", "anyone", 1}});
  put("/zookeeper/quota", 0, wire::open_acl());
}

const Znode* Model::find(const std::string& path, wire::Zxid at) const {
  const auto entry = paths_.find(path);
  if (entry == paths_.end()) return nullptr;
  const auto& versions = entry->second;
  const auto after = std::ranges::upper_bound(versions, at, {}, &Version::zxid);
  if (after == versions.begin()) return nullptr;
  const auto& node = std::prev(after)->node;
  return node ? &*node : nullptr;
}

View Model::before(wire::Zxid zxid) const {
  const auto event = events_.find(zxid);
  return at(event == events_.begin() ? wire::Zxid{} : std::prev(event)->first);
}

bool Model::owns(wire::SessionId session, session::Owner owner, wire::Zxid at) const {
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || found->second.opened > at) return false;
  const ModelSession& one = found->second;
  if (one.closed != wire::Zxid{} && one.closed <= at) return false;
  const auto after = one.owners.upper_bound(at);
  return std::prev(after)->second == owner;
}

std::size_t Model::session_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sessions_, [](const auto& each) { return each.second.closed == wire::Zxid{}; }));
}

std::optional<wire::TimeMs> Model::due(const Znode& node) const {
  if (node.stat.num_children > 0) return std::nullopt;
  if (!node.stat.ttl_ms && !(node.stat.container && node.creations > 0)) return std::nullopt;
  // Not before its last child went.
  return std::max(events_.at(node.stat.pzxid).txn.time,
                  node.stat.mtime + node.stat.ttl_ms.value_or(0));
}

const Event& Model::commit(const zab::Txn& txn) {
  if (txn.zxid <= last_) fail(txn.zxid, "not after " + wire::to_string(last_));
  auto decoded = session::decode_transaction(*txn.payload);
  if (!decoded) fail(txn.zxid, decoded.error().message);
  if (decoded->time < time_) fail(txn.zxid, "time runs backwards");
  check_author(*decoded, txn.zxid);

  View view = at(last_);
  view.begin(txn.zxid, decoded->time);
  Event event;
  event.reply = carry_out(*decoded, txn.zxid, view);
  event.txn = *std::move(decoded);
  event.changes = view.changes();
  if (event.txn.number) {
    ModelSession& session = sessions_.at(event.txn.session);
    if (!session.numbers.emplace(*event.txn.number, txn.zxid).second) {
      throw Violation("exactly_once", "write " + std::to_string(*event.txn.number) +
                                          " of session " + wire::to_hex(event.txn.session.value) +
                                          " is carried out twice");
    }
  }
  for (const auto& [path, node] : view.done()) {
    auto& versions = paths_[path];
    const bool was = !versions.empty() && versions.back().node;
    nodes_ += (node ? 1 : 0) - (was ? 1U : 0U);
    versions.push_back({txn.zxid, node});
  }
  last_ = txn.zxid;
  time_ = event.txn.time;
  return events_.emplace(txn.zxid, std::move(event)).first->second;
}

// Nothing of a session before its beginning or after its end, or by another connection than its
// owner's; nothing but moving, and ending by the leader, by anybody else.
void Model::check_author(const session::Transaction& txn, wire::Zxid zxid) const {
  if (std::holds_alternative<session::OpenTxn>(txn.body)) return;
  const auto* tree_txn = std::get_if<znode::Txn>(&txn.body);
  if (tree_txn != nullptr && std::holds_alternative<znode::DeleteManyTxn>(*tree_txn)) return;
  const auto found = sessions_.find(txn.session);
  const auto refuse = [&](const char* what) {
    throw Violation("session_exactness", "transaction " + wire::to_string(zxid) + " of session " +
                                             wire::to_hex(txn.session.value) + ' ' + what);
  };
  if (found == sessions_.end()) refuse("which never was");
  if (found->second.closed != wire::Zxid{}) refuse("comes after its end");
  if (std::holds_alternative<session::MoveTxn>(txn.body)) return;
  const auto* close = std::get_if<session::CloseTxn>(&txn.body);
  if (close != nullptr && close->expired) return;
  if (!owns(txn.session, txn.owner, last_)) refuse("is not its owner's");
}

wire::Result<wire::ReplyBody> Model::carry_out(const session::Transaction& txn, wire::Zxid zxid,
                                               View& view) {
  using Reply = wire::Result<wire::ReplyBody>;
  const auto lifetime = [](Znode& node, const znode::Lifetime& of) {
    node.stat.ephemeral_owner = of.owner();
    node.stat.container = of.kind() == znode::Lifetime::Kind::container;
    if (of.kind() == znode::Lifetime::Kind::ttl) {
      node.stat.ttl_ms = static_cast<std::int64_t>(of.value());
    }
  };
  const auto create = [&](const znode::CreateTxn& one) -> wire::CreateReply {
    Znode node;
    if (one.acl) node.acl = *one.acl;
    for (const std::string& each : one.parents) view.create(each, node);
    node.data = one.data;
    lifetime(node, one.lifetime);
    if (!node.stat.ephemeral_owner.none() && node.stat.ephemeral_owner != txn.session) {
      fail(zxid, one.path + " is ephemeral, and of another session");
    }
    view.create(one.path, node);
    return {one.path, view.find(one.path)->stat};
  };
  const auto set = [&](const znode::SetTxn& one) -> wire::SetReply {
    if (one.creates) return {create({one.path, one.parents, one.data, {}, {}}).stat};
    view.set(one.path, one.data);
    const wire::Stat stat = view.find(one.path)->stat;
    if (stat.version != one.version) fail(zxid, one.path + " gets another version");
    return {stat};
  };
  const auto remove = [&](const znode::DeleteTxn& one) {
    if (view.below(one.path).size() != one.descendants) fail(zxid, "another subtree");
    view.erase_subtree(one.path);
    return wire::EmptyReply{};
  };
  struct Visitor {
    std::function<Reply(const znode::Txn&)> tree;
    std::function<Reply(const session::OpenTxn&)> open;
    std::function<Reply(const session::MoveTxn&)> move;
    std::function<Reply(const session::CloseTxn&)> close;
    Reply operator()(const znode::Txn& one) const { return tree(one); }
    Reply operator()(const session::OpenTxn& one) const { return open(one); }
    Reply operator()(const session::MoveTxn& one) const { return move(one); }
    Reply operator()(const session::CloseTxn& one) const { return close(one); }
    Reply operator()(const session::RefuseTxn& one) const { return one.refusal.reply(); }
  };
  const auto tree = [&](const znode::Txn& body) -> Reply {
    if (const auto* one = std::get_if<znode::CreateTxn>(&body))
      return wire::ReplyBody(create(*one));
    if (const auto* one = std::get_if<znode::SetTxn>(&body)) return wire::ReplyBody(set(*one));
    if (const auto* one = std::get_if<znode::DeleteTxn>(&body)) {
      return wire::ReplyBody(remove(*one));
    }
    if (const auto* one = std::get_if<znode::SetAclTxn>(&body)) {
      view.set_acl(one->path, one->acl);
      const wire::Stat stat = view.find(one->path)->stat;
      if (stat.aversion != one->aversion) fail(zxid, one->path + " gets another ACL version");
      return wire::ReplyBody(wire::AclReply{one->acl, stat});
    }
    if (const auto* many = std::get_if<znode::DeleteManyTxn>(&body)) {
      for (const std::string& path : many->paths) {
        const auto node = view.find(path);
        if (!node) fail(zxid, path + " is reaped and not there");
        const bool is_due =
            (node->stat.container && node->creations > 0) ||
            (node->stat.ttl_ms && node->stat.mtime + *node->stat.ttl_ms < view.time());
        if (!is_due) fail(zxid, path + " is reaped before its time");
        view.erase(path);
      }
      return wire::ReplyBody(wire::EmptyReply{});
    }
    const auto* multi = std::get_if<znode::MultiTxn>(&body);
    if (multi == nullptr) fail(zxid, "no transaction of the log");
    wire::MultiReply reply;
    for (const znode::MultiTxnOp& op : multi->ops) {
      if (const auto* one = std::get_if<znode::CreateTxn>(&op)) {
        reply.results.emplace_back(wire::OpReply(create(*one)));
      } else if (const auto* one_set = std::get_if<znode::SetTxn>(&op)) {
        reply.results.emplace_back(wire::OpReply(set(*one_set)));
      } else if (const auto* one_delete = std::get_if<znode::DeleteTxn>(&op)) {
        reply.results.emplace_back(wire::OpReply(remove(*one_delete)));
      } else if (std::holds_alternative<znode::CheckTxn>(op)) {
        reply.results.emplace_back(wire::OpReply(wire::EmptyReply{}));
      } else {
        const auto* get = std::get_if<wire::GetRequest>(&op);
        const wire::Request read = get != nullptr
                                       ? wire::Request(*get)
                                       : wire::Request(std::get<znode::ChildrenTxn>(op).request);
        auto answer = perform(read, txn.session, view);
        if (!answer) fail(zxid, "a read of a multi fails");
        if (get != nullptr) {
          reply.results.emplace_back(wire::OpReply(std::get<wire::GetReply>(*answer)));
        } else {
          reply.results.emplace_back(wire::OpReply(std::get<wire::ChildrenReply>(*answer)));
        }
      }
    }
    return wire::ReplyBody(std::move(reply));
  };
  const auto open = [&](const session::OpenTxn& one) -> Reply {
    sessions_[{zxid.bits()}] = {.opened = zxid,
                                .closed = {},
                                .timeout_ms = one.timeout_ms,
                                .owners = {{zxid, txn.owner}},
                                .numbers = {}};
    return wire::ReplyBody{};
  };
  const auto move = [&](const session::MoveTxn& one) -> Reply {
    ModelSession& session = sessions_.at(txn.session);
    session.owners[zxid] = txn.owner;
    session.timeout_ms = one.timeout_ms;
    return wire::ReplyBody{};
  };
  const auto close = [&](const session::CloseTxn& one) -> Reply {
    const auto paths = view.ephemerals(txn.session);
    if (paths.size() != one.ephemerals) fail(zxid, "leaves ephemeral nodes behind");
    // In the order in which they were created, which a path's czxid says, but for those of one
    // transaction; one change of each parent.
    std::vector<std::pair<wire::Zxid, std::string>> ordered;
    for (const std::string& path : paths) ordered.emplace_back(view.find(path)->stat.czxid, path);
    std::ranges::sort(ordered);
    std::map<std::string, bool> parents;
    for (const auto& [czxid, path] : ordered) {
      view.erase(path, !std::exchange(parents[parent(path)], true));
    }
    sessions_.at(txn.session).closed = zxid;
    sessions_.at(txn.session).expired = one.expired;
    return wire::ReplyBody(wire::ClosedReply{});
  };
  return std::visit(Visitor{tree, open, move, close}, txn.body);
}

}  // namespace sim
