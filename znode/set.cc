#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

using wire::Perm;

// For `create: true` without a version: a request with a version needs an existing node.
wire::Result<SetTxn> plan_creation(const wire::SetRequest& request, const Caller& caller,
                                   Draft& draft) {
  wire::CreateRequest create;
  create.path = request.path;
  create.data = request.data;
  const auto created = plan(create, caller, draft);
  if (!created) return created.error();
  return SetTxn{request.path, request.data, 0, true, created->parents};
}

}  // namespace

wire::Result<SetTxn> plan(const wire::SetRequest& request, const Caller& caller, Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  std::shared_ptr<const QuotaLimits> limits;
  if (is_reserved(request.path)) {
    auto new_limits = plan_limits(request.path, request.data, caller, draft);
    if (!new_limits) return new_limits.error();
    limits = *std::move(new_limits);
  }

  std::optional<PendingNode> node = draft.find(request.path);
  if (!node) {
    if (!request.create || request.version != wire::any_version) return no_node(request.path);
    return plan_creation(request, caller, draft);
  }
  if (!limits && !allows(node->acl, caller.identities, Perm::write)) {
    return no_auth(request.path, Perm::write);
  }
  const Usage growth{0, static_cast<std::int64_t>(request.data.size()) -
                            static_cast<std::int64_t>(node->data_size)};
  if (auto quota = check_quotas(request.path, growth, caller, draft); !quota) return quota.error();
  if (request.version != wire::any_version && request.version != node->version) {
    return bad_version(request.path, node->version, request.version);
  }

  const std::int32_t version = next_version(node->version);
  node->version = version;
  node->data = request.data;
  node->data_size = static_cast<std::uint32_t>(request.data.size());
  node->limits = limits;
  draft.set_data(request.path, *std::move(node), growth.bytes);
  if (limits) {
    if (auto room = check_root_limits(request.path, *limits, draft); !room) return room.error();
  }
  return SetTxn{request.path, request.data, version, false, {}};
}

wire::SetReply apply(const SetTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  if (txn.creates) {
    const CreateTxn create{txn.path, txn.parents, txn.data, {}, {}};
    return {apply(create, now, tree, changes).stat};
  }
  Tree::Edit node = tree.edit(txn.path);
  node.set_data(txn.data);
  node->version = txn.version;
  node->mzxid = now.zxid;
  node->mtime = now.time;
  changes.changed(txn.path);
  return {node.node().stat()};
}

}  // namespace znode
