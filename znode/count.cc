#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<wire::CountReply> read(const wire::CountRequest& request, const Caller& caller,
                                    const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* node = tree.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  return wire::CountReply{node->descendant_count()};
}

}  // namespace znode
