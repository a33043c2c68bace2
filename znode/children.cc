#include <limits>
#include <tuple>

#include "wire/reply_size.h"
#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

bool wants_details(const wire::ChildrenRequest& request) {
  return request.with_stat || request.with_data;
}

// READ on the parent shows the children's names. A child's stat and data need READ on the child.
bool shows_details(const wire::ChildrenRequest& request, RememberedVerdicts& may_read,
                   const Node& child) {
  return wants_details(request) && may_read.allows(child.acl());
}

// The children that a request asks for, in its order, without regard to its limit.
class Asked {
 public:
  Asked(const wire::ChildrenRequest& request, const Node& parent)
      : request_(request), parent_(parent) {}

  // These return null behind the last one.
  [[nodiscard]] const Node* first() const {
    const auto& [after, before] = std::tie(request_.after, request_.before);
    if (request_.reverse) {
      return within(before ? parent_.last_child_before(*before) : parent_.last_child());
    }
    return within(after ? parent_.first_child_after(*after) : parent_.first_child());
  }
  [[nodiscard]] const Node* next(const Node& node) const {
    return within(request_.reverse ? node.previous_sibling() : node.next_sibling());
  }

 private:
  [[nodiscard]] const Node* within(const Node* node) const {
    if (node == nullptr) return nullptr;
    const bool is_within = request_.reverse ? !request_.after || node->name() > *request_.after
                                            : !request_.before || node->name() < *request_.before;
    return is_within ? node : nullptr;
  }

  const wire::ChildrenRequest& request_;
  const Node& parent_;
};

std::uint32_t limit_of(const wire::ChildrenRequest& request) {
  return request.limit.value_or(std::numeric_limits<std::uint32_t>::max());
}

std::size_t bytes_max(const wire::ChildrenRequest& request, bool has_details, const Node& child) {
  std::size_t bytes = wire::item_bytes_max + wire::text_bytes_max(child.name());
  if (has_details && request.with_stat) bytes += wire::stat_bytes_max;
  if (has_details && request.with_data) bytes += wire::text_bytes_max(child.data());
  return bytes;
}

// Ends early, with `more`, where the budget ends.
wire::ChildrenReply list(const wire::ChildrenRequest& request, const Identities& identities,
                         const Node& parent, ReplyBudget& budget) {
  wire::ChildrenReply reply;
  reply.stat = parent.stat();
  reply.with_details = wants_details(request);
  RememberedVerdicts may_read(identities, wire::Perm::read);
  const std::uint32_t limit = limit_of(request);

  const Asked asked(request, parent);
  const Node* node = asked.first();
  for (; node && reply.children.size() < limit; node = asked.next(*node)) {
    const bool has_details = shows_details(request, may_read, *node);
    if (!budget.take(bytes_max(request, has_details, *node))) break;
    wire::Child& child = reply.children.emplace_back();
    child.name = node->name();
    if (has_details && request.with_stat) child.stat = node->stat();
    if (has_details && request.with_data) child.data = node->data();
  }
  reply.more = node != nullptr;
  return reply;
}

// Takes what `list` would take. False if the budget is too small.
bool take_list(const wire::ChildrenRequest& request, const Identities& identities,
               const Node& parent, ReplyBudget& budget) {
  RememberedVerdicts may_read(identities, wire::Perm::read);
  std::uint32_t left = limit_of(request);
  const Asked asked(request, parent);
  for (const Node* node = asked.first(); node && left > 0; node = asked.next(*node), --left) {
    const bool has_details = shows_details(request, may_read, *node);
    if (!budget.take(bytes_max(request, has_details, *node))) return false;
  }
  return true;
}

}  // namespace

// Looks only at children that are in the tree already. `apply` ends the list early if plans before
// this one make it too large.
wire::Result<ChildrenTxn> plan(const wire::ChildrenRequest& request, const Caller& caller,
                               Draft& draft, ReplyBudget& budget) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.read.watch) return no_watch_in_multi();
  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  const Node* parent = draft.base().tree().find(request.path);
  if (!budget.take(wire::stat_bytes_max) ||
      (parent && !take_list(request, caller.identities, *parent, budget))) {
    return reply_too_large(budget.bytes_max());
  }
  return ChildrenTxn{request, wants_details(request) ? caller.identities : Identities()};
}

wire::ChildrenReply apply(const ChildrenTxn& txn, const Tree& tree, ReplyBudget& budget) {
  return list(txn.request, txn.identities, tree.at(txn.request.path), budget);
}

wire::Result<wire::ChildrenReply> read(const wire::ChildrenRequest& request, const Caller& caller,
                                       const Tree& tree, ReplyBudget& budget) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* parent = tree.find(request.path);
  if (!parent) return no_node(request.path);
  if (!allows(parent->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  wire::ChildrenReply reply = list(request, caller.identities, *parent, budget);
  // Without a first child, the client could not continue after the last one.
  if (reply.more && reply.children.empty() && limit_of(request) > 0) {
    return reply_too_large(budget.bytes_max());
  }
  return reply;
}

}  // namespace znode
