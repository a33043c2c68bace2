#include "tests/sim/service/model.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "tests/sim/violation.h"
#include "znode/hash.h"

namespace sim {
[[noreturn]] void fail_replay(wire::Zxid zxid, const std::string& what) {
  throw Violation("replay", "transaction " + wire::to_string(zxid) + ": " + what);
}

std::string parent_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool allows(const wire::Acl& acl, wire::Perm perm) {
  return std::ranges::any_of(acl, [&](const wire::AclEntry& entry) {
    return entry.scheme == "world" && (entry.perms & static_cast<unsigned>(perm)) != 0;
  });
}

Model::Model(const znode::ReapingRules& rules) : rules_(rules) {
  const auto put = [&](const std::string& path, std::int32_t children, wire::Acl acl) {
    Znode node;
    node.stat.num_children = children;
    node.acl = std::move(acl);
    // As in ZooKeeper, the initial nodes do not count as created.
    node.stat.cversion = -children;
    paths_[path].push_back({{}, std::move(node)});
    node_count_ += 1;
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

wire::Zxid Model::last_above(wire::Level level) const {
  wire::Zxid last;
  for (const auto& [ended, zxid] : level_ended_at_) {
    if (ended > level) last = std::max(last, zxid);
  }
  return last;
}

wire::Level Model::level_at(wire::Zxid zxid) const {
  const auto after = levels_.upper_bound(zxid);
  return after == levels_.begin() ? wire::Level{} : std::prev(after)->second;
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

std::optional<wire::TimeMs> Model::due(const Znode& node, wire::TimeMs counted) const {
  const wire::Stat& stat = node.stat;
  if (stat.num_children > 0 || (!stat.ttl_ms && !stat.container)) return std::nullopt;
  // The time when the last child was deleted, or when the node was created.
  const wire::TimeMs childless = events_.at(stat.pzxid).txn.time;
  if (stat.ttl_ms) return std::max(childless, stat.mtime + *stat.ttl_ms);
  const bool is_used = node.creations > 0;
  const std::int64_t kept = is_used ? rules_.container_idle_ms : rules_.container_unused_ms;
  if (!is_used && kept == 0) return std::nullopt;
  return std::max(childless, counted) + kept;
}

const Event& Model::commit(const zab::Txn& txn) {
  if (txn.zxid <= last_) fail_replay(txn.zxid, "not after " + wire::to_string(last_));
  auto decoded = session::decode_transaction(*txn.payload);
  if (!decoded) fail_replay(txn.zxid, decoded.error().message);
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
  for (const auto& [path, node] : view.changed_nodes()) {
    auto& versions = paths_[path];
    const bool was = !versions.empty() && versions.back().node;
    node_count_ += (node ? 1 : 0) - (was ? 1U : 0U);
    versions.push_back({txn.zxid, node});
  }
  last_ = txn.zxid;
  return events_.emplace(txn.zxid, std::move(event)).first->second;
}

// A session has transactions only between its beginning and its end, and only from its owner.
// Exceptions are moves, and the expiry by the leader.
void Model::check_author(const session::Transaction& txn, wire::Zxid zxid) const {
  if (std::holds_alternative<session::OpenTxn>(txn.body)) return;
  if (std::holds_alternative<session::LevelTxn>(txn.body)) return;
  const auto* tree_txn = std::get_if<znode::Txn>(&txn.body);
  if (tree_txn != nullptr && std::holds_alternative<znode::DeleteManyTxn>(*tree_txn)) return;
  const auto found = sessions_.find(txn.session);
  const auto refuse = [&](const char* what) {
    throw Violation("session_exactness", "transaction " + wire::to_string(zxid) + " of session " +
                                             wire::to_hex(txn.session.value) + ' ' + what);
  };
  if (found == sessions_.end()) refuse("that was never opened");
  if (found->second.closed != wire::Zxid{}) refuse("comes after its end");
  if (std::holds_alternative<session::MoveTxn>(txn.body)) return;
  const auto* close = std::get_if<session::CloseTxn>(&txn.body);
  if (close != nullptr && close->expired) return;
  if (!owns(txn.session, txn.owner, last_)) refuse("does not come from its owner");
}

// Carries out one transaction on the view and on the sessions of the model.
class Model::Replay {
 public:
  using Reply = wire::Result<wire::ReplyBody>;

  Replay(Model& model, const session::Transaction& txn, wire::Zxid zxid, View& view)
      : model_(model), txn_(txn), zxid_(zxid), view_(view) {}

  Reply operator()(const znode::Txn& body) {
    return std::visit([this](const auto& one) { return Reply(wire::ReplyBody(apply(one))); }, body);
  }
  Reply operator()(const session::OpenTxn& one) {
    model_.sessions_[{zxid_.bits()}] = {.opened = zxid_,
                                        .closed = {},
                                        .timeout_ms = one.timeout_ms,
                                        .owners = {{zxid_, txn_.owner}},
                                        .numbers = {}};
    return wire::ReplyBody{};
  }
  Reply operator()(const session::MoveTxn& one) {
    ModelSession& session = model_.sessions_.at(txn_.session);
    session.owners[zxid_] = txn_.owner;
    session.timeout_ms = one.timeout_ms;
    return wire::ReplyBody{};
  }
  Reply operator()(const session::CloseTxn& one) {
    const auto paths = view_.ephemerals(txn_.session);
    if (paths.size() != one.ephemerals) {
      fail_replay(zxid_, "another number of ephemeral nodes");
    }
    // In the order of their creation, that is, of their czxids, and then of a hash that all servers
    // agree on. One change for each parent.
    std::vector<std::tuple<wire::Zxid, std::uint64_t, std::string>> ordered;
    for (const std::string& path : paths) {
      ordered.emplace_back(view_.find(path)->stat.czxid, znode::hash_of(path), path);
    }
    std::ranges::sort(ordered);
    std::map<std::string, bool> parents;
    for (const auto& [czxid, hash, path] : ordered) {
      view_.erase(path, !std::exchange(parents[parent_path(path)], true));
    }
    model_.sessions_.at(txn_.session).closed = zxid_;
    model_.sessions_.at(txn_.session).expired = one.expired;
    return wire::ReplyBody(wire::ClosedReply{});
  }
  Reply operator()(const session::LevelTxn& one) {
    model_.level_ended_at_[model_.level_] = zxid_;
    model_.level_ = one.level;
    model_.levels_[zxid_] = one.level;
    return wire::ReplyBody{};
  }
  Reply operator()(const session::RefuseTxn& one) { return one.refusal.reply(); }

 private:
  wire::CreateReply apply(const znode::CreateTxn& one) {
    Znode node;
    node.acl = one.acl.list();
    for (const std::string& each : one.parents) view_.create(each, node);
    node.data = one.data;
    node.stat.ephemeral_owner = one.lifetime.owner();
    node.stat.container = one.lifetime.kind() == znode::Lifetime::Kind::container;
    if (one.lifetime.kind() == znode::Lifetime::Kind::ttl) {
      node.stat.ttl_ms = static_cast<std::int64_t>(one.lifetime.value());
    }
    if (!node.stat.ephemeral_owner.none() && node.stat.ephemeral_owner != txn_.session) {
      fail_replay(zxid_, one.path + " is ephemeral, and belongs to another session");
    }
    view_.create(one.path, node);
    return {one.path, view_.find(one.path)->stat};
  }

  wire::SetReply apply(const znode::SetTxn& one) {
    if (one.creates) {
      return {apply(znode::CreateTxn{one.path, one.parents, one.data, {}, {}}).stat};
    }
    view_.set(one.path, one.data);
    const wire::Stat stat = view_.find(one.path)->stat;
    if (stat.version != one.version) fail_replay(zxid_, one.path + " gets another version");
    return {stat};
  }

  wire::EmptyReply apply(const znode::DeleteTxn& one) {
    if (view_.below(one.path).size() != one.descendants) {
      fail_replay(zxid_, "the subtree has another size");
    }
    view_.erase_subtree(one.path);
    return {};
  }

  wire::AclReply apply(const znode::SetAclTxn& one) {
    view_.set_acl(one.path, one.acl);
    const wire::Stat stat = view_.find(one.path)->stat;
    if (stat.aversion != one.aversion) fail_replay(zxid_, one.path + " gets another ACL version");
    return {one.acl, stat};
  }

  // Containers and TTL nodes that are due.
  wire::EmptyReply apply(const znode::DeleteManyTxn& many) {
    for (const std::string& path : many.paths) {
      const auto node = view_.find(path);
      if (!node) fail_replay(zxid_, path + " is reaped, but does not exist");
      const auto due = model_.due(*node, 0);
      // The leader's ticks may be a little short.
      const wire::TimeMs early = node->stat.ttl_ms.value_or(1000) / 40 + model_.rules_.tick_ms;
      if (!due || *due > view_.time() + early) {
        fail_replay(zxid_, path + " is reaped before it is due");
      }
      view_.erase(path);
    }
    return {};
  }

  // Only within CloseTxn.
  wire::EmptyReply apply(const znode::CleanupTxn&) {
    fail_replay(zxid_, "an unexpected kind of transaction");
  }

  wire::MultiReply apply(const znode::MultiTxn& multi) {
    wire::MultiReply reply;
    reply.branch = multi.branch;
    for (const znode::MultiTxnOp& op : multi.ops) {
      reply.results.emplace_back(
          std::visit([this](const auto& one) { return wire::OpReply(apply(one)); }, op));
    }
    return reply;
  }

  wire::EmptyReply apply(const znode::CheckTxn&) { return {}; }
  wire::GetReply apply(const wire::GetRequest& get) {
    return std::get<wire::GetReply>(read_in_multi(get));
  }
  wire::ChildrenReply apply(const znode::ChildrenTxn& children) {
    return std::get<wire::ChildrenReply>(read_in_multi(children.request));
  }
  wire::ReplyBody read_in_multi(const wire::Request& read) {
    auto reply = perform(read, txn_.session, view_);
    if (!reply) fail_replay(zxid_, "a read of a multi fails");
    return *std::move(reply);
  }

  Model& model_;
  const session::Transaction& txn_;
  wire::Zxid zxid_;
  View& view_;
};

wire::Result<wire::ReplyBody> Model::carry_out(const session::Transaction& txn, wire::Zxid zxid,
                                               View& view) {
  return std::visit(Replay(*this, txn, zxid, view), txn.body);
}

}  // namespace sim
