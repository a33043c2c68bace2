#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "znode/node.h"
#include "znode/node_record.h"

namespace znode {

// Tracks the nodes that changed since the last image of the tree began, and collects the current
// image. An image holds the tree as it was when the image began. It is collected in parts, while
// the tree changes: a node of the image that is about to change is encoded before the change.
//
// Serial numbers rise in the order of creation, so a parent has a lower number than its children.
// They are local to this server.
class NodeTracker {
 public:
  // The tree calls these for each node: after it was inserted, before it changes, before it is
  // erased.
  void inserted(Node& node);
  void changing(Node& node) {
    if (node.marks_ != changed_mark_) mark_changed(node);
  }
  void erasing(Node& node);
  // Like `inserted`, for a node of the last image. `serial` is above every serial number so far.
  void restored(Node& node, std::uint64_t serial);

  // The number of records that the next image would have.
  [[nodiscard]] std::size_t changed() const { return changed_.size() + deleted_.size(); }
  [[nodiscard]] bool is_collecting() const { return is_collecting_; }

  // Begins an image: of the changes since the last image, or of all nodes if there was none.
  // Its records have this version (wire::Forms::node). Precondition: no image is being collected.
  void begin(std::uint8_t version);
  // Adds up to `max` records of the image to `out`, and also the nodes that were encoded early.
  // Returns true if the image is complete.
  [[nodiscard]] bool collect(std::size_t max, std::vector<NodeRecord>& out);

 private:
  using Nodes = boost::unordered_flat_map<std::uint64_t, Node*>;  // by serial number

  void mark_changed(Node& node);
  void encode_early(Node& node);

  std::uint64_t last_serial_ = 0;
  std::uint64_t imaged_serial_ = 0;  // the last serial number when the last image began

  Nodes changed_;
  std::vector<std::uint64_t> deleted_;  // since the last image began; only nodes that it contains

  // A node in `changed_` has this mark, and a node that waits in `image_nodes_` the other one. The
  // two marks are swapped when an image begins, so that no node has to be changed then.
  std::uint8_t changed_mark_ = 1;

  bool is_collecting_ = false;
  std::uint8_t version_ = 0;  // of the records of the current image
  Nodes image_nodes_;         // null if the node was deleted meanwhile
  Nodes::iterator next_;
  std::vector<std::uint64_t> image_deleted_;
  std::vector<NodeRecord> encoded_early_;
};

}  // namespace znode
