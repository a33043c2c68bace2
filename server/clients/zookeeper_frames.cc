#include "server/clients/zookeeper_frames.h"

#include <algorithm>

#include "wire/jute/bytes.h"

namespace server {
namespace {

// A larger buffer is freed after its frame was read.
constexpr std::size_t small_frame_bytes = 256;

}  // namespace

std::optional<std::size_t> ZooKeeperFrames::length(std::string_view bytes) {
  const std::int32_t value = wire::jute::Reader(bytes).int32();
  if (value >= 0 && value <= static_cast<std::int32_t>(frame_bytes_max)) {
    return static_cast<std::size_t>(value);
  }
  is_broken_ = true;
  discard();
  return std::nullopt;
}

bool ZooKeeperFrames::fill(std::size_t bytes) {
  const std::size_t more = std::min(bytes - std::min(bytes, kept_.size()), fed_.size());
  kept_ += fed_.substr(0, more);
  fed_.remove_prefix(more);
  return kept_.size() >= bytes;
}

std::optional<std::string_view> ZooKeeperFrames::next() {
  kept_.erase(0, used_);
  if (used_ > small_frame_bytes) kept_.shrink_to_fit();
  used_ = 0;
  if (is_broken_) return std::nullopt;
  if (kept_.empty() && fed_.size() >= length_bytes) {
    const auto size = length(fed_);
    if (!size) return std::nullopt;
    if (fed_.size() >= length_bytes + *size) {
      const std::string_view frame = fed_.substr(length_bytes, *size);
      fed_.remove_prefix(length_bytes + *size);
      return frame;
    }
  }
  if (kept_.empty() && fed_.empty()) return std::nullopt;
  if (!fill(length_bytes)) return std::nullopt;
  const auto size = length(kept_);
  if (!size || !fill(length_bytes + *size)) return std::nullopt;
  used_ = length_bytes + *size;
  return std::string_view(kept_).substr(length_bytes, *size);
}

void ZooKeeperFrames::keep() {
  kept_.erase(0, used_);
  used_ = 0;
  kept_ += fed_;
  fed_ = {};
}

void ZooKeeperFrames::discard() {
  std::string().swap(kept_);
  used_ = 0;
  fed_ = {};
}

std::size_t ZooKeeperFrames::expected_bytes() const {
  if (kept_bytes() < length_bytes) return 0;
  const auto rest = std::string_view(kept_).substr(used_);
  const std::int32_t size = wire::jute::Reader(rest).int32();
  return length_bytes + static_cast<std::size_t>(std::max(size, 0));
}

}  // namespace server
