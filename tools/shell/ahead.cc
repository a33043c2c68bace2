#include "tools/shell/ahead.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <variant>

#include "client-lib/requests.h"

namespace shell {
namespace {

std::size_t reply_bytes(const zabkeeper::AnyReply& reply) {
  if (reply.result.has_error()) return reply.result.error().message.size();
  const auto* get = std::get_if<wire::GetReply>(&*reply.result);
  return get == nullptr ? 0 : get->data.size();
}

}  // namespace

struct Ahead::Replies {
  void put(std::uint64_t number, zabkeeper::AnyReply reply) {
    const std::lock_guard lock(mutex);
    replies.at(number - first) = std::move(reply);
    if (number == first) arrived.notify_one();
  }

  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<std::optional<zabkeeper::AnyReply>> replies;  // to the requests from `first` on
  std::uint64_t first = 0;
};

Ahead::Ahead(zabkeeper::Client& client) : client_(client), replies_(std::make_shared<Replies>()) {}

bool Ahead::has_room() const {
  return sent_.empty() || (sent_.size() < requests_max && sent_bytes_ < bytes_max &&
                           (sent_.size() + 1) * reply_bytes_ <= bytes_max);
}

void Ahead::send(wire::Request request, std::optional<std::chrono::milliseconds> timeout) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(replies_->mutex);
    number = replies_->first + replies_->replies.size();
    replies_->replies.emplace_back();
  }
  const std::size_t bytes = zabkeeper::bytes_of(request);
  sent_.push_back({request, bytes});
  sent_bytes_ += bytes;
  client_.within(timeout.value_or(client_.core()->options().call_timeout))
      .async_ask(std::move(request), [replies = replies_, number](zabkeeper::AnyReply reply) {
        replies->put(number, std::move(reply));
      });
}

bool Ahead::is_oldest_answered() const {
  const std::lock_guard lock(replies_->mutex);
  return replies_->replies.front().has_value();
}

Ahead::Answer Ahead::take() {
  Answer answer{std::move(sent_.front().request), {wire::ReplyBody(), {}}};
  sent_bytes_ -= sent_.front().bytes;
  sent_.pop_front();
  std::unique_lock lock(replies_->mutex);
  replies_->arrived.wait(lock, [&] { return replies_->replies.front().has_value(); });
  answer.reply = std::move(*replies_->replies.front());
  replies_->replies.pop_front();
  ++replies_->first;
  reply_bytes_ = std::max(reply_bytes(answer.reply), reply_bytes_ / 2);
  return answer;
}

}  // namespace shell
