#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/recipes/tree_follower.h"
#include "tests/sim/service/model.h"

namespace sim {

// Compares what one follower tells with the log. Violation `tree`:
//
// - the content is not the tree at its zxid,
// - a version of a node is missing, wrong or told out of order, and no gap is told,
// - after a gap, a node is told that did not change.
//
// ACLs hide nodes, and their changes cause no events. So a node counts as hidden from a read, or a
// change, that this client was not allowed to see, until its next change that the client sees.
class TreeSequence {
 public:
  TreeSequence(const Model& model, std::string root, bool only_node)
      : model_(model), root_(std::move(root)), only_node_(only_node) {}

  // The follower reads the tree, from a state at or after `known` on. `before`: its content.
  void on_reading(wire::Zxid known, zabkeeper::TreeNodes before);
  // `content`: at this zxid; null if it is that of a later transaction already.
  void on_changed(const zabkeeper::TreeChanged& changed, const zabkeeper::TreeNodes* content);
  // The follower is told all changes up to this zxid.
  void on_told_all(wire::Zxid zxid, const zabkeeper::TreeNodes& content);

 private:
  using Versions = std::vector<std::optional<zabkeeper::TreeNode>>;

  [[nodiscard]] bool is_within(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> paths_at(wire::Zxid zxid) const;
  void hide_unreadable(wire::Zxid from, wire::Zxid to);
  void on_read(const zabkeeper::TreeChanged& changed);
  [[nodiscard]] std::map<std::string, Versions> due_of(wire::Zxid zxid, const Event& event);
  void expect(wire::Zxid zxid, const Event& event, const zabkeeper::TreeChanged* changed);
  void expect_no_change(wire::Zxid before);
  void compare(wire::Zxid zxid, const zabkeeper::TreeNodes& content);
  [[noreturn]] void fail(wire::Zxid zxid, const std::string& what) const;

  const Model& model_;
  std::string root_;
  bool only_node_;
  std::optional<wire::Zxid> told_to_;  // none: the tree is read
  wire::Zxid reading_since_;
  std::uint64_t compared_ = 0;  // everything is compared now and then only
  std::set<std::string> hidden_;
  std::set<std::string> doubtful_;  // of a transaction: hidden before it, so it may be told or not
  zabkeeper::TreeNodes before_;     // the content before a gap
};

}  // namespace sim
