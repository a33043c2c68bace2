#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frames.h"
#include "wire/replies.h"

namespace server {

// Appends a message, encoded in `format`.
void append_message(const wire::ServerMessage& message, wire::Format format, std::string& out);

// Frees a string's memory, which an assignment may keep.
inline void release(std::string& memory) { std::string().swap(memory); }

// The messages queued for one client, in one buffer. JSON has a comma before each message. A frame
// of several messages is an array. The head of the array overwrites the comma before the first of
// them in JSON, and the end of the frame before them in CBOR. The buffer begins with space for a
// head of CBOR.
class Outbox {
 public:
  explicit Outbox(wire::Format format);

  // Returns the size of the message.
  std::size_t add(const wire::ServerMessage& message);
  void add(std::string_view message);  // encoded in the format

  [[nodiscard]] bool empty() const { return sent_ == ends_.size(); }

  // The size of the messages that next_frame has not returned yet.
  [[nodiscard]] std::size_t bytes() const { return buffer_.size() - begin(); }

  // The memory that the buffer and the list of ends take.
  [[nodiscard]] std::size_t memory() const {
    return buffer_.capacity() + ends_.capacity() * sizeof(std::size_t);
  }

  // Takes back the message that was added last. None of its bytes may have been returned.
  void remove_last();

  // The next frame: one message, or as many as fit into `batch_bytes`. Valid until the next call.
  // Must not be called when the outbox is empty.
  [[nodiscard]] std::string_view next_frame(std::size_t batch_bytes);

  // Removes all messages, and frees their memory.
  void clear();

 private:
  void begin_message();
  [[nodiscard]] std::size_t begin() const;  // of the messages that are not returned yet
  [[nodiscard]] std::string_view array(std::size_t first, std::size_t end, std::size_t count);

  wire::Format format_;
  std::string buffer_;
  std::vector<std::size_t> ends_;  // where each message in buffer_ ends
  std::size_t sent_ = 0;           // how many messages next_frame has returned
};

}  // namespace server
