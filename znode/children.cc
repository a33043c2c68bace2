#include <limits>

#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<wire::ChildrenRequest> plan(const wire::ChildrenRequest& request, const Caller&,
                                         Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.read.watch) return no_watch_in_multi();
  if (!draft.find(request.path)) return no_node(request.path);
  return request;
}

wire::Result<wire::ChildrenReply> read(const wire::ChildrenRequest& request, const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* parent = tree.find(request.path);
  if (!parent) return no_node(request.path);

  wire::ChildrenReply reply;
  reply.stat = parent->stat();
  reply.with_details = request.with_stat || request.with_data;
  const std::uint32_t limit = request.limit.value_or(std::numeric_limits<std::uint32_t>::max());

  const Node* node =
      request.after ? parent->first_child_after(*request.after) : parent->first_child();
  for (; node && reply.children.size() < limit; node = node->next_sibling()) {
    wire::Child& child = reply.children.emplace_back();
    child.name = node->name();
    if (request.with_stat) child.stat = node->stat();
    if (request.with_data) child.data = node->data();
  }
  reply.more = node != nullptr;
  return reply;
}

}  // namespace znode
