#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <tuple>

#include "wire/reply_size.h"
#include "znode/numbered_children.h"
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

// The children that a request asks for by name, in its order, without regard to its limit.
class AskedByName {
 public:
  AskedByName(const wire::ChildrenRequest& request, const Node& parent)
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

// A request for the children of a node of the tree. Without `numbered`, a list by numbers looks at
// each child.
struct List {
  const wire::ChildrenRequest& request;
  const Tree& tree;
  const Node& parent;
  const NumberedChildren* numbered = nullptr;
};

// Visits the children that are asked for, in their order, without regard to the limit, until
// `visit` returns false.
template <class Visit>
void for_each_asked(const List& list, const Visit& visit) {
  if (list.request.order == wire::ChildOrder::name) {
    const AskedByName asked(list.request, list.parent);
    for (const Node* node = asked.first(); node && visit(*node);) node = asked.next(*node);
    return;
  }
  std::optional<SortedChildren> sorted;
  const NumberedChildren& numbered = list.numbered ? *list.numbered : sorted.emplace(list.parent);
  numbered.visit(list.request, list.parent.creations, [&](std::string_view name) {
    return visit(list.tree.at(child_path(list.request.path, name)));
  });
}

// Ends early, with `more`, where the budget ends.
wire::ChildrenReply reply_to(const List& list, const Identities& identities, ReplyBudget& budget) {
  const wire::ChildrenRequest& request = list.request;
  wire::ChildrenReply reply;
  reply.stat = list.parent.stat();
  reply.with_details = wants_details(request);
  RememberedVerdicts may_read(identities, wire::Perm::read);
  const std::uint32_t limit = limit_of(request);

  for_each_asked(list, [&](const Node& node) {
    const bool has_details = shows_details(request, may_read, node);
    reply.more =
        reply.children.size() == limit || !budget.take(bytes_max(request, has_details, node));
    if (reply.more) return false;
    wire::Child& child = reply.children.emplace_back();
    child.name = node.name();
    if (has_details && request.with_stat) child.stat = node.stat();
    if (has_details && request.with_data) child.data = node.data();
    return true;
  });
  return reply;
}

// Takes what `reply_to` would take. False if the budget is too small.
bool take_list(const List& list, const Identities& identities, ReplyBudget& budget) {
  RememberedVerdicts may_read(identities, wire::Perm::read);
  std::uint32_t left = limit_of(list.request);
  bool has_room = true;
  for_each_asked(list, [&](const Node& node) {
    if (left-- == 0) return false;
    const bool has_details = shows_details(list.request, may_read, node);
    has_room = budget.take(bytes_max(list.request, has_details, node));
    return has_room;
  });
  return has_room;
}

// A name of so many bytes is as much work to sort as one more child.
constexpr std::size_t bytes_of_work = 64;

// Whether the budget has room to sort so many children, among them those of `parent`.
bool take_sorted(const Node* parent, std::size_t children, ReplyBudget& budget) {
  if (!budget.sort(children)) return false;
  const Node* child = parent ? parent->first_child() : nullptr;
  for (; child != nullptr; child = child->next_sibling()) {
    if (!budget.sort(child->name().size() / bytes_of_work)) return false;
  }
  return true;
}

// Without an index, a list by numbers costs time for all children, not only for those in the reply.
wire::Result<void> check_sorted(const wire::ChildrenRequest& request, const Node* parent,
                                std::size_t children, ReplyBudget& budget) {
  if (request.order == wire::ChildOrder::name || take_sorted(parent, children, budget)) return {};
  return refuse(
      wire::ErrorCode::too_large, request.path,
      "has too many children for \"order\":\"sequence\" in a multi, which looks at no more "
      "than " +
          std::to_string(sorted_children_max) +
          " children in all (each 64 bytes of a name count as one more): ask outside of it");
}

}  // namespace

// Looks only at children that are in the tree already. `apply` ends the list early if plans before
// this one make it too large.
wire::Result<ChildrenTxn> plan(const wire::ChildrenRequest& request, const Caller& caller,
                               Draft& draft, ReplyBudget& budget) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.read.watch) return no_watch_in_multi();
  if (auto checked = check_bounds(request); !checked) return checked.error();
  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  const Tree& tree = draft.base().tree();
  const Node* parent = tree.find(request.path);
  // It is sorted when it is applied, and `take_list` sorts what the tree has now.
  const std::size_t now = parent ? parent->child_count() : 0;
  if (auto checked =
          check_sorted(request, parent, std::max<std::size_t>(now, node->child_count), budget);
      !checked) {
    return checked.error();
  }
  if (!budget.take(wire::stat_bytes_max) ||
      (parent && !take_list({request, tree, *parent}, caller.identities, budget))) {
    return reply_too_large(budget.bytes_max());
  }
  return ChildrenTxn{request, wants_details(request) ? caller.identities : Identities()};
}

wire::ChildrenReply apply(const ChildrenTxn& txn, const Tree& tree, ReplyBudget& budget) {
  return reply_to({txn.request, tree, tree.at(txn.request.path)}, txn.identities, budget);
}

wire::Result<wire::ChildrenReply> read(const wire::ChildrenRequest& request, const Caller& caller,
                                       const Tree& tree, ReplyBudget& budget,
                                       const NumberedChildren* numbered) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (auto checked = check_bounds(request); !checked) return checked.error();
  const Node* parent = tree.find(request.path);
  if (!parent) return no_node(request.path);
  if (!allows(parent->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  if (numbered == nullptr) {
    if (auto checked = check_sorted(request, parent, parent->child_count(), budget); !checked) {
      return checked.error();
    }
  }
  wire::ChildrenReply reply =
      reply_to({request, tree, *parent, numbered}, caller.identities, budget);
  // Without a first child, the client could not continue after the last one.
  if (reply.more && reply.children.empty() && limit_of(request) > 0) {
    return reply_too_large(budget.bytes_max());
  }
  return reply;
}

}  // namespace znode
