#include <limits>

#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

bool wants_details(const wire::ChildrenRequest& request) {
  return request.with_stat || request.with_data;
}

// READ on the parent shows the children's names. A child's stat and data need READ on the child.
wire::ChildrenReply list(const wire::ChildrenRequest& request, const Identities& identities,
                         const Node& parent) {
  wire::ChildrenReply reply;
  reply.stat = parent.stat();
  reply.with_details = wants_details(request);
  RememberedVerdicts may_read(identities, wire::Perm::read);
  const std::uint32_t limit = request.limit.value_or(std::numeric_limits<std::uint32_t>::max());

  const Node* node =
      request.after ? parent.first_child_after(*request.after) : parent.first_child();
  for (; node && reply.children.size() < limit; node = node->next_sibling()) {
    wire::Child& child = reply.children.emplace_back();
    child.name = node->name();
    if (!reply.with_details || !may_read.allows(node->acl())) continue;
    if (request.with_stat) child.stat = node->stat();
    if (request.with_data) child.data = node->data();
  }
  reply.more = node != nullptr;
  return reply;
}

}  // namespace

wire::Result<ChildrenTxn> plan(const wire::ChildrenRequest& request, const Caller& caller,
                               Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.read.watch) return no_watch_in_multi();
  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  return ChildrenTxn{request, wants_details(request) ? caller.identities : Identities()};
}

wire::ChildrenReply apply(const ChildrenTxn& txn, const Tree& tree) {
  return list(txn.request, txn.identities, tree.at(txn.request.path));
}

wire::Result<wire::ChildrenReply> read(const wire::ChildrenRequest& request, const Caller& caller,
                                       const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* parent = tree.find(request.path);
  if (!parent) return no_node(request.path);
  if (!allows(parent->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  return list(request, caller.identities, *parent);
}

}  // namespace znode
