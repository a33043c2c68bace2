#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace server {

// Splits received bytes into frames of ZooKeeper's client protocol. A frame is a length of four
// bytes, and then so many bytes. The bytes may arrive in any parts. Between frames it holds no
// buffer.
class ZooKeeperFrames {
 public:
  // The largest frame. This is ZooKeeper's default of jute.maxbuffer.
  static constexpr std::size_t frame_bytes_max = 0xfffff;

  // `bytes` arrived. They are read in place, and must stay valid until `next` returns nothing or
  // `keep` is called.
  void feed(std::span<const char> bytes) { fed_ = {bytes.data(), bytes.size()}; }
  // The next frame, without its length. Valid until the next call. Returns nothing when more bytes
  // are needed, or if the length is impossible.
  [[nodiscard]] std::optional<std::string_view> next();
  // A length was negative or too large: the rest of the stream must be ignored.
  [[nodiscard]] bool is_broken() const { return is_broken_; }
  // Copies what was fed and not read yet.
  void keep();
  // Forgets what was fed and not read yet, and frees its memory.
  void discard();

  [[nodiscard]] std::size_t kept_bytes() const { return kept_.size() - used_; }
  [[nodiscard]] std::size_t kept_memory() const { return kept_.capacity(); }
  // The size of the incomplete frame, with its length; 0 if it is not known.
  [[nodiscard]] std::size_t expected_bytes() const;

 private:
  static constexpr std::size_t length_bytes = 4;

  // Moves bytes from `fed_` to `kept_` until so many are kept. Returns false if too few have
  // arrived.
  [[nodiscard]] bool fill(std::size_t bytes);
  // The length at the beginning of `bytes`. If it is not valid, returns nothing, and the stream is
  // broken.
  [[nodiscard]] std::optional<std::size_t> length(std::string_view bytes);

  std::string kept_;      // the beginning of a frame
  std::size_t used_ = 0;  // bytes of kept_ that the last returned frame had
  std::string_view fed_;
  bool is_broken_ = false;
};

}  // namespace server
