#include "tools/shell/watching.h"

#include <atomic>
#include <thread>
#include <utility>
#include <variant>

#include "tools/shell/inbox.h"

namespace shell {
namespace {

using std::chrono::milliseconds;
using wire::ErrorCode;

// The time of one attempt to set the watch again. Between attempts the caller checks for
// interrupts.
constexpr milliseconds attempt_time{1'000};
constexpr milliseconds pause_between_attempts{100};

// The size of an event without its path and data, about.
constexpr std::size_t event_bytes = 256;

std::size_t size_of(const wire::WatchEvent& event) {
  return event_bytes + event.path.size() + (event.data ? event.data->get().size() : 0);
}

// Whether the session has ended, or no server was found in time.
bool is_to_ask_again(ErrorCode code) {
  return code == ErrorCode::session_expired || code == ErrorCode::connection_loss ||
         code == ErrorCode::not_ready || code == ErrorCode::operation_timeout ||
         code == ErrorCode::server_behind;
}

}  // namespace

struct Watching::Arrivals {
  Inbox<Event> inbox;
  std::atomic<std::size_t> bytes = 0;
  bool is_full = false;  // for the client's thread
};

Watching::Watching(zabkeeper::Client& client, wire::WatchRequest request, Limits limits)
    : client_(client), request_(std::move(request)), limits_(std::move(limits)) {}

zabkeeper::Client::AnyReply Watching::begin() {
  auto reply = ask(client_);
  from_ = request_.from.value_or(reply.zxid);
  return reply;
}

zabkeeper::Client::AnyReply Watching::ask(const zabkeeper::Calls& calls) {
  const auto arrivals = std::make_shared<Arrivals>();
  auto reply = calls.ask(request_, [arrivals, limits = limits_](const Event& event) {
    if (arrivals->is_full) return;
    if (event.has_value()) arrivals->bytes += size_of(*event);
    arrivals->inbox.put(event);
    if (limits.bytes_max != 0 && arrivals->bytes > limits.bytes_max) {
      arrivals->is_full = true;
      arrivals->inbox.put(zabkeeper::Error(
          {ErrorCode::overloaded,
           "more than " + std::to_string(limits.bytes_max >> 20) + " MiB of events wait"}));
    }
    limits.on_arrival();
  });
  if (reply.result.has_error()) return reply;
  arrivals_ = arrivals;
  id_ = std::get<wire::WatchReply>(*reply.result).watch;
  return reply;
}

std::optional<Watching::Event> Watching::take(milliseconds timeout) {
  if (!arrivals_) {
    request_.from = from_;
    skip_ = taken_;
    const auto reply = ask(client_.within(attempt_time));
    if (reply.result.has_error()) {
      if (!is_to_ask_again(reply.result.error().code))
        return zabkeeper::Error(reply.result.error());
      std::this_thread::sleep_for(pause_between_attempts);
      return std::nullopt;
    }
  }
  std::optional<Event> event = arrivals_->inbox.take(timeout);
  if (!event) return std::nullopt;
  if (event->has_error()) {
    if (event->error().code != ErrorCode::session_expired) return event;
    arrivals_.reset();
    return std::nullopt;
  }
  arrivals_->bytes -= size_of(**event);
  if (is_repetition(**event)) return std::nullopt;
  count(**event);
  return event;
}

void Watching::end() {
  if (arrivals_) (void)client_.ask(wire::UnwatchRequest{id_});
}

void Watching::count(const wire::WatchEvent& event) {
  if (event.kind == wire::EventKind::resync) {
    from_ = event.zxid;
    taken_ = 0;
    return;
  }
  taken_ = taken_ > 0 && event.zxid == last_ ? taken_ + 1 : 1;
  last_ = event.zxid;
  from_ = wire::Zxid::from_bits(last_.bits() - 1);
}

bool Watching::is_repetition(const wire::WatchEvent& event) {
  const bool comes_again =
      skip_ > 0 && event.zxid == last_ && event.kind != wire::EventKind::resync;
  skip_ = comes_again ? skip_ - 1 : 0;
  return comes_again;
}

}  // namespace shell
