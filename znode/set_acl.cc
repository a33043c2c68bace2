#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<SetAclTxn> plan(const wire::SetAclRequest& request, const Caller& caller,
                             Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (is_reserved(request.path)) return reserved(request.path);
  const auto acl = resolve(request.acl, caller.identities);
  if (!acl) return acl.error();

  std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (auto admin = check_admin(request.path, *node, caller); !admin) return admin.error();
  if (request.version != wire::any_version && request.version != node->aversion) {
    return bad_acl_version(request.path, node->aversion, request.version);
  }

  const std::int32_t aversion = next_version(node->aversion);
  node->aversion = aversion;
  node->acl = *acl;
  draft.set_acl(request.path, *std::move(node));
  return SetAclTxn{request.path, acl->list(), aversion};
}

wire::AclReply apply(const SetAclTxn& txn, const Moment&, Tree& tree, Changes&) {
  {
    Tree::Edit node = tree.edit(txn.path);
    node.set_acl(SharedAcl(txn.acl));
    node->aversion = txn.aversion;
  }
  return {txn.acl, tree.at(txn.path).stat()};
}

}  // namespace znode
