#include "server/clients/outbox.h"

#include "wire/json.h"

namespace server {
namespace {

constexpr std::size_t kept_bytes = 256 * 1024;

}  // namespace

void Outbox::add(const wire::ServerMessage& message) {
  text_ += ',';
  wire::json::write(message, text_);
  ends_.push_back(text_.size());
}

std::string_view Outbox::next_frame(std::size_t batch_bytes) {
  const std::size_t first = begin();
  std::size_t count = 1;
  while (sent_ + count < ends_.size() && ends_[sent_ + count] - first <= batch_bytes) ++count;
  const std::size_t end = ends_[sent_ + count - 1];
  sent_ += count;
  if (count == 1) return std::string_view(text_).substr(first + 1, end - first - 1);

  // The ']' takes the place of the comma before the next message, which needs none.
  if (end == text_.size()) text_ += ']';
  text_[first] = '[';
  text_[end] = ']';
  return std::string_view(text_).substr(first, end + 1 - first);
}

void Outbox::clear() {
  text_.clear();
  ends_.clear();
  sent_ = 0;
  if (text_.capacity() > kept_bytes) text_.shrink_to_fit();
  if (ends_.capacity() > kept_bytes / sizeof(std::size_t)) ends_.shrink_to_fit();
}

}  // namespace server
