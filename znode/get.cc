#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<wire::GetRequest> plan(const wire::GetRequest& request, const Caller&, Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.read.watch) return no_watch_in_multi();
  if (!draft.find(request.path)) return no_node(request.path);
  return request;
}

wire::Result<wire::GetReply> read(const wire::GetRequest& request, const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* node = tree.find(request.path);
  if (!node) return no_node(request.path);
  return wire::GetReply{wire::Bytes(node->data()), node->stat()};
}

}  // namespace znode
