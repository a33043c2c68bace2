#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/records.h"
#include "wire/shared_bytes.h"
#include "znode/path.h"
#include "znode/tree.h"

namespace znode {

// The fields of a node that plans depend on.
struct PendingNode {
  std::int32_t version = 0;
  std::int32_t aversion = 0;
  std::int32_t creations = 0;
  std::uint32_t child_count = 0;
  std::uint32_t data_size = 0;
  wire::TimeMs mtime = 0;
  Lifetime lifetime;
  SharedAcl acl;
  // The new limits, if this is a limits node and a plan sets its data.
  std::shared_ptr<const QuotaLimits> limits;
  // The plan that creates the node; the plan that sets its data last; those data. A plan may be
  // applied already: then the tree knows better. See Draft::will_apply.
  std::uint64_t created_by = 0;
  std::uint64_t set_by = 0;
  wire::SharedBytes data;

  // See memory_of_node.
  [[nodiscard]] std::int64_t memory_at(std::string_view path) const {
    return memory_of_node(name_of(path).size(), data_size, lifetime.kind());
  }
  bool operator==(const PendingNode&) const = default;
};

class Draft;

// The tree as it will be once all outstanding plans are applied. Plans are applied in the order in
// which they were added. A node is looked up from top to bottom:
//
//   overlay_   /a: version 3 (plan 8)    the nodes that plans created, changed or deleted,
//              /c: deleted (plan 7)      as the last such plan left them
//      |
//      | no entry
//      v
//   emptied_   /d (plan 9)               roots of recursive deletions: the nodes that the tree
//      |                                 has below such a root will not exist
//      | below none of them
//      v
//   closing_   session 0x1f              sessions that end: their ephemeral nodes in the tree
//      |                                 will not exist
//      | owned by none of them
//      v
//   tree_      /, /a, /c, /d, /d/x ...   the tree, with all applied transactions
//
//   plans_     7: touched /, /c          the outstanding plans, oldest first. applied() drops
//              8: touched /a             the oldest one, and the entries above that no later
//              9: touched /, /d;         plan touched: the tree contains them now.
//                 emptied /d
class PendingTree {
 public:
  // `tree` must outlive this object.
  explicit PendingTree(const Tree& tree) : tree_(tree) {}
  PendingTree(const PendingTree&) = delete;
  PendingTree& operator=(const PendingTree&) = delete;

  // The node as it will be; none if it will not exist.
  [[nodiscard]] std::optional<PendingNode> find(std::string_view path) const;
  // The paths of the ephemeral nodes that the session will have, sorted.
  [[nodiscard]] std::vector<std::string> ephemerals(wire::SessionId session) const;
  // An upper bound of their number, found without looking at each.
  [[nodiscard]] std::size_t ephemerals_at_most(wire::SessionId session) const {
    return tree_.ephemeral_count(session) + ephemerals_.size();
  }
  [[nodiscard]] const Tree& tree() const { return tree_; }

  // Makes the changes of `draft` the newest outstanding plan.
  void add(Draft&& draft);
  // To be called after the oldest outstanding plan was applied to the tree.
  void applied();
  // Drops all outstanding plans.
  void clear();

  [[nodiscard]] std::size_t outstanding() const { return plans_.size(); }
  // The number of nodes in the overlay; 0 if no plan is outstanding.
  [[nodiscard]] std::size_t overlay_size() const { return overlay_.size(); }

 private:
  friend class Draft;
  struct Entry {
    std::optional<PendingNode> node;  // none: deleted
    std::uint64_t plan = 0;           // the number of the last plan that touched it
  };
  using Overlay = std::map<std::string, Entry, std::less<>>;
  using Usages = std::map<std::string, Usage, std::less<>>;
  struct Plan {
    std::vector<Overlay::iterator> touched;
    std::vector<std::string> emptied;
    wire::SessionId closed;  // none unless the plan ends a session
  };

  [[nodiscard]] std::uint64_t last_applied() const { return last_plan_ - plans_.size(); }
  [[nodiscard]] bool is_in_emptied_subtree(std::string_view path) const;
  [[nodiscard]] bool is_closing(const Node& node) const;
  [[nodiscard]] Usage usage(std::string_view path) const;
  void remove_ephemeral_entry(const Overlay::value_type& entry);
  void reset_when_idle();

  const Tree& tree_;
  Overlay overlay_;
  // By path: the number of the last plan that deleted the subtree.
  std::map<std::string, std::uint64_t, std::less<>> emptied_;
  std::set<wire::SessionId> closing_;
  std::set<std::pair<wire::SessionId, std::string>> ephemerals_;  // only those in the overlay
  std::deque<Plan> plans_;                                        // oldest first
  std::uint64_t last_plan_ = 0;
  bool limits_planned_ = false;  // an outstanding plan, or one applied before it, sets limits
  // A cache of usage(). Applying a plan does not change it.
  mutable Usages usages_;
};

// One plan in the making. It sees the pending tree with its own changes. A draft that is destroyed
// without PendingTree::add has no effect.
class Draft {
 public:
  // `now` becomes the time of the plan.
  explicit Draft(const PendingTree& base, wire::TimeMs now = 0) : base_(base), now_(now) {}

  [[nodiscard]] std::optional<PendingNode> find(std::string_view path) const;
  [[nodiscard]] wire::TimeMs now() const { return now_; }
  [[nodiscard]] const PendingTree& base() const { return base_; }
  // Whether this plan, a PendingNode's, is not applied yet: it is this draft, or it is outstanding.
  [[nodiscard]] bool will_apply(std::uint64_t plan) const { return plan > base_.last_applied(); }
  // The nodes and bytes that the subtree will have, its root included.
  [[nodiscard]] Usage usage(std::string_view path) const;
  // Whether any subtree may have limits.
  [[nodiscard]] bool has_limits() const;
  // The limits of the subtree with the root `path`, if it has any.
  [[nodiscard]] std::optional<QuotaLimits> limits(std::string_view path) const;
  // The path of a node at or below `path` that has children and an ACL that `allows` rejects, if
  // any.
  using AllowsFn = std::function<bool(const SharedAcl& acl)>;
  [[nodiscard]] std::optional<std::string> find_forbidden_parent(std::string_view path,
                                                                 const AllowsFn& allows) const;
  // The paths of the nodes that will exist below `path`, in no order. Takes time and memory linear
  // in their number.
  [[nodiscard]] std::vector<std::string> paths_below(std::string_view path) const;

  // Precondition: the parent exists, the node does not. The plan sets data, data size, lifetime,
  // ACL and limits of `node`.
  void create(std::string_view path, PendingNode node) {
    growth_ += node.memory_at(path) + static_cast<std::int64_t>(node.acl.memory());
    insert(path, std::move(node));
  }
  // Replaces an existing node, even if its data stays equal: its mtime becomes now. `growth`: the
  // growth of its data, in bytes.
  void set_data(std::string_view path, PendingNode node, std::int64_t growth) {
    growth_ += growth;
    replace(path, std::move(node));
  }
  void set_acl(std::string_view path, PendingNode node) {
    growth_ += static_cast<std::int64_t>(node.acl.memory());
    put(path, std::move(node));
  }
  // Precondition: the node exists, is `node`, and has no children.
  void remove(std::string_view path, const PendingNode& node) {
    growth_ -= node.memory_at(path);
    unlink(path);
  }
  // Adds `more` to the number of nodes that this draft creates, and returns the sum.
  std::size_t count_created(std::size_t more) { return created_ += more; }
  // The same for the nodes that it deletes recursively.
  std::size_t count_removed(std::size_t more) { return removed_ += more; }
  // Deletes an existing node with all nodes below it; `usage` is that of the subtree.
  void remove_subtree(std::string_view path, const Usage& usage) {
    growth_ -= usage.bytes + usage.nodes * memory_of_node(0, 0, Lifetime::Kind::persistent);
    unlink_subtree(path);
  }
  // Deletes all ephemeral nodes of a session that ends, and returns their number. A draft that does
  // this does nothing else, and no later plan creates ephemeral nodes of this session.
  std::size_t remove_ephemerals(wire::SessionId session);

  // An estimate of the growth of the tree's memory: see Tree::memory. A new ACL counts as if no
  // node had it. The names in a subtree and the ephemeral nodes of a session that are deleted do
  // not count.
  [[nodiscard]] std::int64_t growth() const { return growth_; }
  // The size of the reply that a multi may get, in the bytes of a ReplyBudget.
  void set_reply_bytes(std::size_t bytes) { reply_bytes_ = bytes; }
  [[nodiscard]] std::size_t reply_bytes() const { return reply_bytes_; }

 private:
  friend class PendingTree;
  using Changes = std::map<std::string, std::optional<PendingNode>, std::less<>>;

  PendingNode at(std::string_view path) const;
  void insert(std::string_view path, PendingNode node);
  void replace(std::string_view path, PendingNode node);
  void unlink(std::string_view path);
  void unlink_subtree(std::string_view path);
  void put(std::string_view path, std::optional<PendingNode> node);

  const PendingTree& base_;
  wire::TimeMs now_;
  Changes changes_;
  std::set<std::string, std::less<>> emptied_;
  wire::SessionId closed_;
  bool has_limits_ = false;
  std::size_t created_ = 0;
  std::size_t removed_ = 0;
  std::int64_t growth_ = 0;
  std::size_t reply_bytes_ = 0;
  mutable PendingTree::Usages usages_;
};

}  // namespace znode
