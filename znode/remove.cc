#include <algorithm>
#include <string>
#include <vector>

#include "wire/ensure.h"
#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

using wire::ErrorCode;

void take_away(std::string_view path, const Moment& now, Tree& tree, Changes& changes) {
  tree.erase(path);
  tree.at(parent_of(path)).pzxid = now.zxid;
  changes.deleted(path);
}

}  // namespace

wire::Result<DeleteTxn> plan(const wire::DeleteRequest& request, const Caller&, Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.path == "/") return refuse(ErrorCode::bad_arguments, "/", "cannot be deleted");
  if (is_reserved(request.path)) return reserved(request.path);

  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (request.version != wire::any_version && request.version != node->version) {
    return bad_version(request.path, node->version, request.version);
  }
  if (node->child_count > 0 && !request.recursive) {
    return refuse(ErrorCode::not_empty, request.path, "has children");
  }

  std::vector<std::string> descendants;
  if (node->child_count > 0) descendants = draft.descendants(request.path);
  for (const std::string& path : descendants) draft.remove(path);
  draft.remove(request.path);
  return DeleteTxn{request.path, static_cast<std::uint32_t>(descendants.size())};
}

wire::EmptyReply apply(const DeleteTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  const Node& root = tree.at(txn.path);
  ensure(root.descendant_count() == txn.descendants, "a subtree is deleted as it was planned");

  std::vector<std::string> paths;
  for (const Node* node = &root; node; node = next_in_subtree(*node, root)) {
    paths.push_back(node->path());
  }
  // Children before their parents.
  std::ranges::reverse(paths);
  for (const std::string& path : paths) take_away(path, now, tree, changes);
  return {};
}

DeleteManyTxn plan_cleanup(wire::SessionId session, const PendingTree& tree, Draft& draft) {
  DeleteManyTxn txn{tree.ephemerals(session)};
  for (const std::string& path : txn.paths) draft.remove(path);
  return txn;
}

wire::EmptyReply apply(const DeleteManyTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  for (const std::string& path : txn.paths) take_away(path, now, tree, changes);
  return {};
}

}  // namespace znode
