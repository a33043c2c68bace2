#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<wire::ExistsReply> read(const wire::ExistsRequest& request, const Caller& caller,
                                     const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* node = tree.find(request.path);
  if (node && !allows(node->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  return wire::ExistsReply{node ? std::optional(node->stat()) : std::nullopt};
}

}  // namespace znode
