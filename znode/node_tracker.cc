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

// The node has not changed since the last image was begun: perhaps that one does not have it yet.
void NodeTracker::note(Node& node) {
  if ((node.marks_ & ~changed_mark_) != 0) write_down(node);
  if (node.marks_ == 0) changed_.emplace(node.serial_, &node);
  node.marks_ = changed_mark_;
}

void NodeTracker::write_down(Node& node) {
  node.marks_ &= changed_mark_;
  written_.push_back({node.serial_, encode(node)});
}

void NodeTracker::going(Node& node) {
  if ((node.marks_ & ~changed_mark_) != 0) write_down(node);
  if (node.marks_ != 0) changed_.erase(node.serial_);
  if (const auto taken = taken_.find(node.serial_); taken != taken_.end()) taken->second = nullptr;
  if (node.serial_ <= imaged_serial_) gone_.push_back(node.serial_);
}

void NodeTracker::begin() {
  ensure(!taking_, "one image at a time");
  taking_ = true;
  taken_ = std::exchange(changed_, {});
  next_ = taken_.begin();
  taken_gone_ = std::exchange(gone_, {});
  changed_mark_ ^= both_marks;
  imaged_serial_ = last_serial_;
}

bool NodeTracker::collect(std::size_t max, std::vector<NodeRecord>& out) {
  ensure(taking_, "an image is being taken");
  std::ranges::move(written_, std::back_inserter(out));
  written_.clear();
  for (; max > 0 && !taken_gone_.empty(); --max) {
    out.push_back({taken_gone_.back(), std::nullopt});
    taken_gone_.pop_back();
  }
  for (; max > 0 && next_ != taken_.end(); --max, ++next_) {
    Node* node = next_->second;
    if (node == nullptr || (node->marks_ & ~changed_mark_) == 0) continue;
    node->marks_ &= changed_mark_;
    out.push_back({node->serial_, encode(*node)});
  }
  if (next_ != taken_.end() || !taken_gone_.empty()) return false;
  taken_ = {};
  taking_ = false;
  return true;
}

}  // namespace znode
