#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "wire/zxid.h"
#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

using wire::Error;
using wire::ErrorCode;

// Ten digits with leading zeros, and a sign if the counter has wrapped to negative numbers.
std::string sequence(std::int32_t creations) {
  std::array<char, 12> text{};
  std::snprintf(text.data(), text.size(), "%010d", creations);
  return text.data();
}

wire::Result<Lifetime> lifetime_of(const wire::CreateRequest& request, const Caller& caller) {
  const auto bad = [](std::string what) {
    return Error{ErrorCode::bad_arguments, std::move(what)};
  };
  if (request.container && request.ephemeral) return bad("container: the node is ephemeral");
  if (request.container && request.sequential) return bad("container: the node is sequential");
  if (request.ttl_ms) {
    if (request.ephemeral) return bad("ttlMs: the node is ephemeral");
    if (request.container) return bad("ttlMs: the node is a container");
    if (*request.ttl_ms <= 0 || *request.ttl_ms > ttl_ms_max) {
      return bad("ttlMs: must be between 1 and " + std::to_string(ttl_ms_max));
    }
    return Lifetime::of_ttl(*request.ttl_ms);
  }
  if (request.container) return Lifetime::of_container();
  if (request.ephemeral) return Lifetime::of_session(caller.session);
  return Lifetime();
}

wire::Result<void> check_ephemerals(const Lifetime& lifetime, const Draft& draft) {
  const PendingTree& base = draft.base();
  if (!lifetime.is_ephemeral() ||
      base.ephemerals_at_most(lifetime.owner()) < ephemerals_per_session_max ||
      base.ephemerals(lifetime.owner()).size() < ephemerals_per_session_max) {
    return {};
  }
  return Error{ErrorCode::too_large, "session " + wire::to_hex(lifetime.owner().value) + " has " +
                                         std::to_string(ephemerals_per_session_max) +
                                         " ephemeral nodes, which is the maximum"};
}

wire::Result<void> check_number(std::size_t created, Draft& draft) {
  if (draft.count_created(created) <= created_nodes_max) return {};
  return Error{ErrorCode::too_large, "one transaction creates at most " +
                                         std::to_string(created_nodes_max) +
                                         " nodes, missing parents included: create them in parts"};
}

// Clients create only the limits node of a quota. Its parents and its stats node are created with
// it.
wire::Result<CreateTxn> plan_quota(const wire::CreateRequest& request, const Caller& caller,
                                   Draft& draft) {
  auto limits = plan_limits(request.path, request.data, caller, draft);
  if (!limits) return limits.error();
  if (request.ephemeral || request.sequential || request.container || request.ttl_ms ||
      request.acl) {
    return refuse(ErrorCode::bad_arguments, request.path, "must be a plain node with an open ACL");
  }
  if (draft.find(request.path)) {
    return refuse(ErrorCode::node_exists, request.path, "already exists");
  }
  CreateTxn txn{request.path, {}, request.data, {}, {}};
  for (std::string_view at = parent_of(request.path); !draft.find(at); at = parent_of(at)) {
    txn.parents.emplace(txn.parents.begin(), at);
  }
  const std::string stats = child_path(parent_of(request.path), stats_name);
  if (!draft.find(stats)) txn.parents.push_back(stats);
  if (auto number = check_number(txn.parents.size() + 1, draft); !number) return number.error();

  for (const std::string& parent : txn.parents) draft.create(parent, {});
  PendingNode node;
  node.data = request.data;
  node.data_size = static_cast<std::uint32_t>(request.data.size());
  node.limits = *limits;
  draft.create(request.path, std::move(node));
  if (auto room = check_root_limits(request.path, **limits, draft); !room) return room.error();
  return txn;
}

const Node& insert_node(std::string_view path, std::string_view data, const Lifetime& lifetime,
                        const SharedAcl& acl, const Moment& now, Tree& tree, Changes& changes) {
  NodeFields fields;
  fields.czxid = fields.mzxid = fields.pzxid = now.zxid;
  fields.ctime = fields.mtime = now.time;
  const Node& node = tree.insert(path, data, fields, lifetime, acl);

  Tree::Edit parent = tree.edit(*node.parent());
  parent->creations = next_creation(parent->creations);
  parent->pzxid = now.zxid;

  changes.created(path);
  return node;
}

}  // namespace

// Next: Leading::on(Submit) (zab/leading_broadcast.cc), to which Planner::plan_now submits the
// transaction.
wire::Result<CreateTxn> plan(const wire::CreateRequest& request, const Caller& caller,
                             Draft& draft) {
  const auto lifetime = lifetime_of(request, caller);
  if (!lifetime) return lifetime.error();
  // The path of a sequential node may end in a slash: then the node's name is only the number.
  const std::string sample_path = request.path + (request.sequential ? sequence(0) : "");
  if (auto valid = validate(sample_path); !valid) return valid.error();
  if (is_reserved(sample_path)) {
    if (!is_limits(sample_path)) return reserved(request.path);
    return plan_quota(request, caller, draft);
  }
  SharedAcl acl;
  if (request.acl) {
    auto resolved = resolve(*request.acl, caller.identities);
    if (!resolved) return resolved.error();
    acl = *std::move(resolved);
  }

  CreateTxn txn;
  std::string_view above = parent_of(sample_path);
  std::optional<PendingNode> parent = draft.find(above);
  while (!parent && request.parents) {
    txn.parents.emplace(txn.parents.begin(), above);
    above = parent_of(above);
    parent = draft.find(above);
  }
  if (!parent) return no_node(above);
  if (!allows(parent->acl, caller.identities, wire::Perm::create)) {
    return no_auth(above, wire::Perm::create);
  }
  // The new parents get this ACL.
  if (!txn.parents.empty() && !allows(acl, caller.identities, wire::Perm::create)) {
    return no_auth(parent_of(sample_path), wire::Perm::create);
  }

  const std::int32_t number = txn.parents.empty() ? parent->creations : 0;
  txn.path = request.path + (request.sequential ? sequence(number) : "");
  if (draft.find(txn.path)) return refuse(ErrorCode::node_exists, txn.path, "already exists");
  if (parent->lifetime.is_ephemeral()) return parent_is_ephemeral(above);
  if (auto count = check_ephemerals(*lifetime, draft); !count) return count.error();
  if (auto size = check_number(txn.parents.size() + 1, draft); !size) return size.error();

  txn.data = request.data;
  txn.lifetime = *lifetime;
  txn.acl = acl;
  PendingNode node;
  node.acl = acl;
  for (const std::string& missing : txn.parents) {
    if (auto quota = check_quotas(missing, {1, 0}, caller, draft); !quota) return quota.error();
    draft.create(missing, node);
  }
  const Usage growth{1, static_cast<std::int64_t>(request.data.size())};
  if (auto quota = check_quotas(txn.path, growth, caller, draft); !quota) return quota.error();
  node.data = request.data;
  node.data_size = static_cast<std::uint32_t>(request.data.size());
  node.lifetime = *lifetime;
  draft.create(txn.path, std::move(node));
  return txn;
}

wire::CreateReply apply(const CreateTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  for (const std::string& parent : txn.parents)
    insert_node(parent, "", {}, txn.acl, now, tree, changes);
  const Node& node = insert_node(txn.path, txn.data, txn.lifetime, txn.acl, now, tree, changes);
  return {txn.path, node.stat()};
}

}  // namespace znode
