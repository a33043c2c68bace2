#include "server/clients/outbox.h"

#include "wire/cbor.h"
#include "wire/json.h"

namespace server {
namespace {

// Reserved for the messages that are usually queued together.
constexpr std::size_t usual_bytes = 480;
constexpr std::size_t usual_messages = 8;
// The longest head of a CBOR array that fits into a batch.
constexpr std::size_t head_bytes_max = 5;

}  // namespace

// Next: `write` (wire/message_writer.cc).
void append_message(const wire::ServerMessage& message, wire::Format format, std::string& out) {
  format == wire::Format::json ? wire::json::write(message, out) : wire::cbor::write(message, out);
}

Outbox::Outbox(wire::Format format) : format_(format) { clear(); }

std::size_t Outbox::add(const wire::ServerMessage& message) {
  begin_message();
  const std::size_t begin = buffer_.size();
  append_message(message, format_, buffer_);
  ends_.push_back(buffer_.size());
  return buffer_.size() - begin;
}

void Outbox::add(std::string_view message) {
  begin_message();
  buffer_ += message;
  ends_.push_back(buffer_.size());
}

void Outbox::remove_last() {
  ends_.pop_back();
  if (empty()) return clear();
  buffer_.resize(ends_.back());
  buffer_.shrink_to_fit();
}

void Outbox::begin_message() {
  if (ends_.empty()) {
    buffer_.reserve(usual_bytes);
    ends_.reserve(usual_messages);
  }
  if (format_ == wire::Format::json) buffer_ += ',';
}

std::string_view Outbox::next_frame(std::size_t batch_bytes) {
  const std::size_t first = begin();
  std::size_t count = 1;
  while (sent_ + count < ends_.size() && ends_[sent_ + count] - first <= batch_bytes) ++count;
  const std::size_t end = ends_[sent_ + count - 1];
  sent_ += count;
  if (count > 1) return array(first, end, count);
  const std::size_t separator = format_ == wire::Format::json ? 1 : 0;
  return std::string_view(buffer_).substr(first + separator, end - first - separator);
}

std::string_view Outbox::array(std::size_t first, std::size_t end, std::size_t count) {
  if (format_ == wire::Format::json) {
    // The ']' overwrites the comma before the next message, which does not need it.
    if (end == buffer_.size()) buffer_ += ']';
    buffer_[first] = '[';
    buffer_[end] = ']';
    return std::string_view(buffer_).substr(first, end + 1 - first);
  }
  std::string head;
  wire::cbor::begin_array(count, head);
  const std::size_t begin = first - head.size();
  buffer_.replace(begin, head.size(), head);
  return std::string_view(buffer_).substr(begin, end - begin);
}

std::size_t Outbox::begin() const {
  if (sent_ > 0) return ends_[sent_ - 1];
  return format_ == wire::Format::json ? 0 : head_bytes_max;
}

void Outbox::clear() {
  release(buffer_);
  std::vector<std::size_t>().swap(ends_);
  sent_ = 0;
  buffer_.append(begin(), '\0');
}

}  // namespace server
