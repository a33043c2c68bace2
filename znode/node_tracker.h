#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "znode/node.h"
#include "znode/node_record.h"

namespace znode {

// Which nodes have changed since the last image of the tree was begun, and the image that is being
// taken. What an image holds is the tree as it was when it was begun, although it is collected in
// parts while the tree goes on: a node that is about to change is written down first.
//
// Serial numbers are given in the order of creation, so that a parent's is always below its
// children's. They are a matter of this server alone.
class NodeTracker {
 public:
  // The tree says so of each node: it is there from now on; it is about to change; to go.
  void inserted(Node& node);
  void changing(Node& node) {
    if (node.marks_ != changed_mark_) note(node);
  }
  void going(Node& node);
  // As `inserted`, of a node that the last image holds, under this number, above every one so far.
  void restored(Node& node, std::uint64_t serial);

  // Nodes that the next image would hold.
  [[nodiscard]] std::size_t changed() const { return changed_.size() + gone_.size(); }
  [[nodiscard]] bool is_taking() const { return taking_; }

  // Begins an image: of what has changed since the one before, or of everything if there was none.
  // None is being taken.
  void begin();
  // Adds up to `max` records of it to `out`, and those that could not wait. True once all are out:
  // then the image is complete.
  [[nodiscard]] bool collect(std::size_t max, std::vector<NodeRecord>& out);

 private:
  using Nodes = boost::unordered_flat_map<std::uint64_t, Node*>;  // by serial number

  void note(Node& node);
  void write_down(Node& node);

  std::uint64_t last_serial_ = 0;
  std::uint64_t imaged_serial_ = 0;  // the last one that there was when the last image was begun

  Nodes changed_;
  std::vector<std::uint64_t> gone_;  // of those that the last image holds, or will

  // A node in `changed_` has this mark, one that waits in `taken_` the other: the two change places
  // when an image begins, and no node has to be told.
  std::uint8_t changed_mark_ = 1;

  bool taking_ = false;
  Nodes taken_;  // null where it went
  Nodes::iterator next_;
  std::vector<std::uint64_t> taken_gone_;
  std::vector<NodeRecord> written_;
};

}  // namespace znode
