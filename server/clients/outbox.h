#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "wire/replies.h"

namespace server {

// Messages that wait to be sent, as one text: each behind a byte that becomes the '[' or ',' of an
// array if they share a frame.
class Outbox {
 public:
  void add(const wire::ServerMessage& message);

  [[nodiscard]] bool empty() const { return sent_ == ends_.size(); }

  // That next_frame has not handed out yet.
  [[nodiscard]] std::size_t bytes() const { return text_.size() - begin(); }

  // The next frame: one message, or with `batch_bytes` as many as fit, at least one. Valid until
  // the next call.
  [[nodiscard]] std::string_view next_frame(std::size_t batch_bytes);

  // Forgets everything, and keeps the memory unless there is much of it.
  void clear();

 private:
  [[nodiscard]] std::size_t begin() const { return sent_ == 0 ? 0 : ends_[sent_ - 1]; }

  std::string text_;
  std::vector<std::size_t> ends_;  // of each message in text_
  std::size_t sent_ = 0;           // how many of ends_
};

}  // namespace server
