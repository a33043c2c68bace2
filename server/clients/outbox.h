#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frames.h"
#include "wire/replies.h"

namespace server {

// Appends a message as the format writes it.
void append_message(const wire::ServerMessage& message, wire::Format format, std::string& out);

// Messages that wait to be sent, as one buffer: each behind what the format wants between two
// elements of an array, and the first with room for an array's head. A frame of several puts that
// head over the end of what was sent before it.
class Outbox {
 public:
  explicit Outbox(wire::Format format);

  void add(const wire::ServerMessage& message);
  // One that is written in the format.
  void add(std::string_view message);

  [[nodiscard]] bool empty() const { return sent_ == ends_.size(); }

  // That next_frame has not handed out yet.
  [[nodiscard]] std::size_t bytes() const { return buffer_.size() - begin(); }

  // The next frame: one message, or with `batch_bytes` as many as fit, at least one. Valid until
  // the next call.
  [[nodiscard]] std::string_view next_frame(std::size_t batch_bytes);

  // Forgets everything, and its memory.
  void clear();

 private:
  void begin_message();
  [[nodiscard]] std::size_t begin() const;
  [[nodiscard]] std::string_view array(std::size_t first, std::size_t end, std::size_t count);

  wire::Format format_;
  std::string buffer_;
  std::vector<std::size_t> ends_;  // of each message in buffer_
  std::size_t sent_ = 0;           // how many of ends_
};

}  // namespace server
