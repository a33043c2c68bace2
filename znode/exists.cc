#include "znode/operations.h"
#include "znode/path.h"

namespace znode {

wire::Result<wire::ExistsReply> read(const wire::ExistsRequest& request, const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* node = tree.find(request.path);
  return wire::ExistsReply{node ? std::optional(node->stat()) : std::nullopt};
}

}  // namespace znode
