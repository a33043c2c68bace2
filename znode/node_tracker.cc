#include "znode/node_tracker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "wire/ensure.h"

namespace znode {
namespace {

constexpr std::uint8_t both_marks = 3;

}  // namespace

void NodeTracker::inserted(Node& node) {
  node.serial_ = ++last_serial_;
  node.marks_ = changed_mark_;
  changed_.emplace(node.serial_, &node);
}

void NodeTracker::restored(Node& node, std::uint64_t serial) {
  ensure(serial > last_serial_, "serial numbers rise");
  node.serial_ = last_serial_ = imaged_serial_ = serial;
}

// The node changes for the first time since the current image began. If the image does not have the
// node yet, it is encoded now.
void NodeTracker::mark_changed(Node& node) {
  if ((node.marks_ & ~changed_mark_) != 0) encode_early(node);
  if (node.marks_ == 0) changed_.emplace(node.serial_, &node);
  node.marks_ = changed_mark_;
}

void NodeTracker::encode_early(Node& node) {
  node.marks_ &= changed_mark_;
  encoded_early_.push_back({node.serial_, encode(node, version_)});
}

void NodeTracker::erasing(Node& node) {
  if ((node.marks_ & ~changed_mark_) != 0) encode_early(node);
  if (node.marks_ != 0) changed_.erase(node.serial_);
  if (const auto entry = image_nodes_.find(node.serial_); entry != image_nodes_.end())
    entry->second = nullptr;
  if (node.serial_ <= imaged_serial_) deleted_.push_back(node.serial_);
}

void NodeTracker::begin(std::uint8_t version) {
  ensure(!is_collecting_, "one image is collected at a time");
  version_ = version;
  is_collecting_ = true;
  image_nodes_ = std::exchange(changed_, {});
  next_ = image_nodes_.begin();
  image_deleted_ = std::exchange(deleted_, {});
  changed_mark_ ^= both_marks;
  imaged_serial_ = last_serial_;
}

bool NodeTracker::collect(std::size_t max, std::vector<NodeRecord>& out) {
  ensure(is_collecting_, "an image was begun");
  std::ranges::move(encoded_early_, std::back_inserter(out));
  encoded_early_.clear();
  for (; max > 0 && !image_deleted_.empty(); --max) {
    out.push_back({image_deleted_.back(), std::nullopt});
    image_deleted_.pop_back();
  }
  for (; max > 0 && next_ != image_nodes_.end(); --max, ++next_) {
    Node* node = next_->second;
    if (node == nullptr || (node->marks_ & ~changed_mark_) == 0) continue;
    node->marks_ &= changed_mark_;
    out.push_back({node->serial_, encode(*node, version_)});
  }
  if (next_ != image_nodes_.end() || !image_deleted_.empty()) return false;
  image_nodes_ = {};
  is_collecting_ = false;
  return true;
}

}  // namespace znode
