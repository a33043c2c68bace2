#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<wire::AclReply> read(const wire::GetAclRequest& request, const Caller& caller,
                                  const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* node = tree.find(request.path);
  if (!node) return no_node(request.path);
  const bool may_change = allows(node->acl(), caller.identities, wire::Perm::admin);
  if (!may_change && !allows(node->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  const wire::Acl& acl = node->acl().list();
  return wire::AclReply{may_change ? acl : redacted(acl), node->stat()};
}

}  // namespace znode
