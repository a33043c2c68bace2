#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<CheckTxn> plan(const wire::CheckRequest& request, const Caller& caller, Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();

  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  if (request.version != wire::any_version && request.version != node->version) {
    return bad_version(request.path, node->version, request.version);
  }
  return CheckTxn{};
}

}  // namespace znode
