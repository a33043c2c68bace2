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
#include "znode/tree.h"

namespace znode {

// As much of a node as plans are judged against.
struct PendingNode {
  std::int32_t version = 0;
  std::int32_t aversion = 0;
  std::int32_t creations = 0;
  std::uint32_t child_count = 0;
  std::uint32_t data_size = 0;
  wire::TimeMs mtime = 0;
  Lifetime lifetime;
  SharedAcl acl;
  std::shared_ptr<const QuotaLimits>
      limits;  // where the node holds some that are not in the tree yet

  bool operator==(const PendingNode&) const = default;
};

class Draft;

// The tree as it will be once every outstanding plan is applied: an overlay of the nodes that these
// plans touch, and of what they take away whole. Plans are applied in the order in which they were
// added.
class PendingTree {
 public:
  // `tree` must outlive it.
  explicit PendingTree(const Tree& tree) : tree_(tree) {}
  PendingTree(const PendingTree&) = delete;
  PendingTree& operator=(const PendingTree&) = delete;

  // Nothing where there will be none.
  [[nodiscard]] std::optional<PendingNode> find(std::string_view path) const;
  // The ephemeral nodes that a session will have, sorted.
  [[nodiscard]] std::vector<std::string> ephemerals(wire::SessionId session) const;
  // Not less than the number of them.
  [[nodiscard]] std::size_t ephemerals_at_most(wire::SessionId session) const {
    return tree_.ephemeral_count(session) + ephemerals_.size();
  }
  [[nodiscard]] const Tree& tree() const { return tree_; }

  // What `draft` did becomes the newest outstanding plan.
  void add(Draft&& draft);
  // The oldest outstanding plan is now in the tree.
  void applied();
  // No outstanding plan will be applied.
  void clear();

  [[nodiscard]] std::size_t outstanding() const { return plans_.size(); }
  // Nodes that the overlay holds; none when nothing is outstanding.
  [[nodiscard]] std::size_t overlay_size() const { return overlay_.size(); }

 private:
  friend class Draft;
  struct Entry {
    std::optional<PendingNode> node;
    std::uint64_t plan = 0;  // the last that touched it
  };
  using Overlay = std::map<std::string, Entry, std::less<>>;
  using Usages = std::map<std::string, Usage, std::less<>>;
  struct Plan {
    std::vector<Overlay::iterator> touched;
    std::vector<std::string> emptied;  // what was below them went
    wire::SessionId closed;
  };

  [[nodiscard]] bool is_hidden(std::string_view path) const;
  [[nodiscard]] bool is_closing(const Node& node) const;
  [[nodiscard]] Usage usage(std::string_view path) const;
  void forget_owner(const Overlay::value_type& entry);
  void nothing_outstanding();

  const Tree& tree_;
  Overlay overlay_;
  // What the tree has below these will be gone, by the last plan that takes it away; nodes in the
  // overlay are what the overlay says.
  std::map<std::string, std::uint64_t, std::less<>> emptied_;
  std::set<wire::SessionId> closing_;  // their nodes in the tree will be gone, in the same way
  std::set<std::pair<wire::SessionId, std::string>> ephemerals_;  // those in the overlay
  std::deque<Plan> plans_;                                        // the oldest first
  std::uint64_t last_plan_ = 0;
  bool limits_planned_ = false;  // some plan since nothing was outstanding has limits
  // What subtrees that were asked for will have. A plan that is applied changes none of it.
  mutable Usages usages_;
};

// One plan in the making: sees the pending tree and what it did itself. A draft that is dropped
// leaves nothing behind.
class Draft {
 public:
  // `now` is when the plan is made.
  explicit Draft(const PendingTree& base, wire::TimeMs now = 0) : base_(base), now_(now) {}

  [[nodiscard]] std::optional<PendingNode> find(std::string_view path) const;
  [[nodiscard]] wire::TimeMs now() const { return now_; }
  [[nodiscard]] const PendingTree& base() const { return base_; }
  // What there will be of a subtree, its root included.
  [[nodiscard]] Usage usage(std::string_view path) const;
  // Whether any subtree may have limits; and those of one.
  [[nodiscard]] bool has_limits() const;
  [[nodiscard]] std::optional<QuotaLimits> limits(std::string_view path) const;
  // A node at or below `path` that has children and whose ACL `passes` not, if there is one.
  using Passes = std::function<bool(const SharedAcl& acl)>;
  [[nodiscard]] std::optional<std::string> parent_refusing(std::string_view path,
                                                           const Passes& passes) const;

  // The parent exists, the node does not. Of the node are given what the plan decides: data size,
  // lifetime, ACL and limits.
  void create(std::string_view path, PendingNode node);
  // The node exists; `node` is what it will be, its data being new or not.
  void set_data(std::string_view path, PendingNode node);
  void set_acl(std::string_view path, PendingNode node) { put(path, std::move(node)); }
  // It is childless.
  void remove(std::string_view path);
  // Nodes that this draft takes away with others, `more` included.
  std::size_t count_removed(std::size_t more) { return removed_ += more; }
  // With all below.
  void remove_subtree(std::string_view path);
  // All ephemeral nodes of a session, which gets no others. Says how many they are. The only thing
  // that a draft does.
  std::size_t remove_ephemerals(wire::SessionId session);

 private:
  friend class PendingTree;
  using Changes = std::map<std::string, std::optional<PendingNode>, std::less<>>;

  PendingNode at(std::string_view path) const;
  void put(std::string_view path, std::optional<PendingNode> node);

  const PendingTree& base_;
  wire::TimeMs now_;
  Changes changes_;
  std::set<std::string, std::less<>> emptied_;
  wire::SessionId closed_;
  bool has_limits_ = false;
  std::size_t removed_ = 0;
  mutable PendingTree::Usages usages_;
};

}  // namespace znode
