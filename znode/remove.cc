#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "wire/contradiction.h"
#include "wire/limits.h"
#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

using wire::ErrorCode;
using wire::Perm;

void delete_and_record(std::string_view path, const Moment& now, Tree& tree, Changes& changes) {
  changes.deleted(path, tree.at(path).acl());
  tree.erase(path);
  tree.edit(parent_of(path))->pzxid = now.zxid;
}

// For many childless nodes: a parent is edited only once, even if it loses many children.
void delete_and_record(const std::vector<const Node*>& nodes, const Moment& now, Tree& tree,
                       Changes& changes) {
  boost::unordered_flat_set<const Node*> parents;
  for (const Node* node : nodes) {
    const Node* parent = node->parent();
    if (parents.insert(parent).second) {
      changes.deleted(node->path(), node->acl());
      tree.edit(*parent)->pzxid = now.zxid;
    } else {
      changes.deleted_below(node->path(), node->acl());
    }
    tree.erase(*node);
  }
}

// A recursive deletion needs DELETE on every node that loses children.
wire::Result<void> check_subtree(std::string_view path, const Caller& caller, const Draft& draft) {
  RememberedVerdicts may_delete(caller.identities, Perm::remove);
  const auto forbidden = draft.find_forbidden_parent(
      path, [&](const SharedAcl& acl) { return may_delete.allows(acl); });
  if (forbidden) return no_auth(*forbidden, Perm::remove);
  return {};
}

wire::Result<void> check_size(std::string_view path, std::int64_t below, Draft& draft) {
  if (draft.count_removed(static_cast<std::size_t>(below)) <= deleted_nodes_max) return {};
  return refuse(ErrorCode::too_large, path,
                "has " + std::to_string(below) +
                    " nodes below it; one transaction deletes at most " +
                    std::to_string(deleted_nodes_max) + ": delete it in parts");
}

}  // namespace

wire::Result<DeleteTxn> plan(const wire::DeleteRequest& request, const Caller& caller,
                             Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.path == "/") return refuse(ErrorCode::bad_arguments, "/", "cannot be deleted");
  if (is_reserved(request.path)) {
    if (auto quota = check_quota_change(request.path, caller, draft); !quota) return quota.error();
  } else {
    const std::optional<PendingNode> parent = draft.find(parent_of(request.path));
    if (!parent) return no_node(request.path);
    if (!allows(parent->acl, caller.identities, Perm::remove)) {
      return no_auth(parent_of(request.path), Perm::remove);
    }
  }
  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (request.version != wire::any_version && request.version != node->version) {
    return bad_version(request.path, node->version, request.version);
  }
  if (node->child_count == 0) {
    draft.remove(request.path, *node);
    return DeleteTxn{request.path, 0};
  }
  if (!request.recursive) return refuse(ErrorCode::not_empty, request.path, "has children");

  const Usage usage = draft.usage(request.path);
  const std::int64_t below = usage.nodes - 1;
  if (auto size = check_size(request.path, below, draft); !size) return size.error();
  if (auto subtree = check_subtree(request.path, caller, draft); !subtree) return subtree.error();
  if (is_reserved(request.path)) {
    auto quotas = check_quota_changes_below(request.path, caller, draft);
    if (!quotas) return quotas.error();
  }
  draft.remove_subtree(request.path, usage);
  return DeleteTxn{request.path, static_cast<std::uint32_t>(below)};
}

wire::EmptyReply apply(const DeleteTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  wire::expect(tree.at(txn.path).descendant_count() == txn.descendants,
               "a recursive deletion deletes as many nodes as planned");
  if (txn.descendants == 0) {
    delete_and_record(txn.path, now, tree, changes);
    return {};
  }
  tree.erase_subtree(txn.path, [&](const std::string& path, const SharedAcl& acl) {
    if (path != txn.path) return changes.deleted_below(path, acl);
    changes.deleted(path, acl);
  });
  tree.edit(parent_of(txn.path))->pzxid = now.zxid;
  return {};
}

CleanupTxn plan_cleanup(wire::SessionId session, Draft& draft) {
  return {session, static_cast<std::uint32_t>(draft.remove_ephemerals(session))};
}

std::optional<DeleteManyTxn> plan_part_of_cleanup(wire::SessionId session, Draft& draft) {
  if (draft.base().ephemerals_at_most(session) <= ephemerals_per_session_max) return std::nullopt;
  // Outstanding plans of earlier parts already delete some of the nodes.
  DeleteManyTxn part;
  draft.base().tree().visit_ephemerals(session, [&](const Node& node) {
    std::string path = node.path();
    if (draft.find(path)) part.paths.push_back(std::move(path));
    return part.paths.size() <= ephemerals_per_session_max;
  });
  if (part.paths.size() <= ephemerals_per_session_max) return std::nullopt;

  std::size_t bytes = 0;
  const auto end = std::ranges::find_if(part.paths, [&](const std::string& path) {
    bytes += sizeof path + path.size();
    return bytes > wire::transaction_bytes_max / 2;
  });
  part.paths.erase(end, part.paths.end());
  part.paths.resize(std::min(part.paths.size(), deleted_nodes_max));
  for (const std::string& path : part.paths) draft.remove(path, *draft.find(path));
  return part;
}

wire::EmptyReply apply(const CleanupTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  const std::vector<const Node*> nodes = tree.ephemeral_nodes(txn.session);
  wire::expect(nodes.size() == txn.count, "a session's end deletes as many nodes as planned");
  delete_and_record(nodes, now, tree, changes);
  return {};
}

wire::EmptyReply apply(const DeleteManyTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  for (const std::string& path : txn.paths) delete_and_record(path, now, tree, changes);
  return {};
}

}  // namespace znode
