#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<SetTxn> plan(const wire::SetRequest& request, const Caller&, Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (is_reserved(request.path)) return reserved(request.path);

  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) {
    // Whoever names a version means a node that is there.
    if (!request.create || request.version != wire::any_version) return no_node(request.path);
    const std::optional<PendingNode> parent = draft.find(parent_of(request.path));
    if (!parent) return no_node(parent_of(request.path));
    if (!parent->ephemeral_owner.none()) return parent_is_ephemeral(parent_of(request.path));

    draft.create(request.path, {});
    return SetTxn{request.path, request.data, 0, true};
  }
  if (request.version != wire::any_version && request.version != node->version) {
    return bad_version(request.path, node->version, request.version);
  }

  const std::int32_t version = next_version(node->version);
  draft.set(request.path, version);
  return SetTxn{request.path, request.data, version, false};
}

wire::SetReply apply(const SetTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  if (txn.creates) return {apply(CreateTxn{txn.path, {}, txn.data, {}}, now, tree, changes).stat};

  Node& node = tree.at(txn.path);
  node.set_data(txn.data);
  node.version = txn.version;
  node.mzxid = now.zxid;
  node.mtime = now.time;
  changes.changed(txn.path);
  return {node.stat()};
}

}  // namespace znode
