#include <algorithm>
#include <utility>

#include "tests/sim/service/user.h"
#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"
#include "wire/json.h"

// A client's simulated connection, with both ends.
namespace sim {
namespace {

// What each request is charged without small limits.
constexpr std::size_t request_bytes = 3000;

// A transcript shows the beginning of large messages.
std::string shortened(std::string text) {
  constexpr std::size_t bytes_max = 400;
  if (text.size() > bytes_max) text = text.substr(0, bytes_max) + "...";
  return text;
}

wire::ParsedFrame unparsed(const std::vector<std::shared_ptr<TrackedRequest>>& frame) {
  wire::ParsedFrame parsed;
  for (const auto& tracked : frame) parsed.requests.emplace_back(tracked->request);
  parsed.bytes = frame.size() * request_bytes;
  return parsed;
}

}  // namespace

std::shared_ptr<Line> World::connect(std::size_t server, User& user) {
  auto line = std::make_shared<Line>(*this, server, user);
  line->state.server = server;
  line->last_to_server_ = now() + client_delay();
  at(server, line->last_to_server_, [line] { line->open_at_server(); });
  return line;
}

Time Line::arrival(Time& last) {
  last = std::max(last, world_.now() + world_.client_delay());
  return last;
}

bool Line::is_open_at_server() const {
  return incarnation_ != 0 && !server_done_ && world_.cluster().is_up(server_) &&
         world_.cluster().incarnation(server_) == incarnation_;
}

void Line::open_at_server() {
  if (client_done_ || !world_.cluster().is_up(server_)) {
    return end_at_client(world_.now() + world_.client_delay());
  }
  incarnation_ = world_.cluster().incarnation(server_);
  if (world_.options().small.are_on()) open_protocol();
  world_.servers_[server_].lines.push_back(weak_from_this());
  world_.pipeline(server_)->opened(shared_from_this());
}

void Line::send(Frame frame) {
  if (client_done_) return;
  if (world_.options().small.are_on()) return send_bytes(std::move(frame));
  world_.at(server_, arrival(last_to_server_),
            [line = shared_from_this(), frame = std::move(frame)] { line->receive(frame); });
}

void Line::receive(Frame frame) {
  if (!is_open_at_server() || world_.now() > cut_at_) return;
  if (paused_ || !unread_.empty()) {
    unread_.push_back(std::move(frame));
  } else {
    handle(frame, unparsed(frame));
  }
}

void Line::handle(const Frame& frame, wire::ParsedFrame parsed) {
  const auto self = shared_from_this();
  for (const auto& tracked : frame) {
    note(*tracked);
    world_.oracle().on_request_received(state, tracked);
  }
  if (state.owner) world_.touch(server_, state.session);
  world_.pipeline(server_)->received(*this, std::move(parsed));
}

void Line::note(const TrackedRequest& tracked) {
  world_.trace([&] {
    std::string text = std::to_string(server_ + 1) + "  receives from user " +
                       std::to_string(user_.number()) + "  ";
    wire::json::write(tracked.request, text);
    return shortened(std::move(text));
  });
}

void Line::note(const wire::ServerMessage& message) {
  world_.trace([&] {
    std::string text =
        std::to_string(server_ + 1) + "  sends to user " + std::to_string(user_.number()) + "  ";
    wire::json::write(message, text);
    return shortened(std::move(text));
  });
  world_.oracle().on_message_sent(state, message, world_.pipeline(server_)->replica().service());
  if (const auto* connected = std::get_if<wire::ConnectedReply>(&message)) {
    world_.on_connected(*this, *connected);
  }
}

void Line::pause() {
  paused_ = true;
  if (protocol_) protocol_->pause();
}

void Line::resume() {
  paused_ = false;
  if (protocol_) {
    protocol_->resume();
    return world_.at(server_, world_.now(), [line = shared_from_this()] { line->read(); });
  }
  world_.at(server_, world_.now(), [line = shared_from_this()] {
    while (line->is_open_at_server() && !line->paused_ && !line->unread_.empty()) {
      const Frame frame = std::move(line->unread_.front());
      line->unread_.pop_front();
      line->handle(frame, unparsed(frame));
    }
  });
}

void Line::send(const wire::ServerMessage& message) {
  if (server_done_) return;
  note(message);
  if (protocol_) {
    outgoing_.push_back(message);
    if (!protocol_->queue().send(message)) close_as_too_slow();
    return transfer_later();
  }
  on_their_way_ += 1;
  world_.at(arrival(last_to_client_), [line = shared_from_this(), message] {
    line->on_their_way_ -= 1;
    if (line->client_done_ || line->world_.now() > line->cut_at_) return;
    line->user_.receive(*line, message);
  });
}

server::Offer Line::offer(const wire::ServerMessage& message) {
  if (!protocol_ || server_done_) return ClientConnection::offer(message);
  const server::Offer offer = protocol_->queue().offer(message);
  if (offer == server::Offer::queued) {
    outgoing_.push_back(message);
    note(message);
    transfer_later();
  }
  return offer;
}

// Without small limits, as if every message were large, so that clients are held back.
std::size_t Line::queued_bytes() const {
  return protocol_ ? protocol_->queue().bytes() : on_their_way_ * 300'000;
}

std::string Line::remote_address() const { return user_.address(); }

// Asked about events only.
bool Line::has_room(std::size_t bytes) const {
  const bool has_room =
      protocol_ ? protocol_->queue().has_room(bytes) : on_their_way_ < world_.options().events_max;
  if (!has_room) world_.cluster().counts().count(Rare::watch_lagged);
  return has_room;
}

void Line::close(server::CloseCode code, std::string reason) {
  if (server_done_) return;
  const auto self = shared_from_this();
  if (protocol_) {
    protocol_->close(code, std::move(reason), server::ClientProtocol::Drain::yes, world_.clock());
    return close_soon();
  }
  end_at_server();
  end_at_client(arrival(last_to_client_));
}

// The pipeline is informed later, and only once.
void Line::end_at_server() {
  if (protocol_) return end_protocol();
  if (std::exchange(server_done_, true) || incarnation_ == 0) return;
  world_.oracle().on_connection_ended(state);
  inform_pipeline();
}

void Line::inform_pipeline() {
  world_.at(server_, world_.now() + world_.client_delay(), [line = shared_from_this()] {
    const bool is_running = line->world_.cluster().is_up(line->server_) &&
                            line->world_.cluster().incarnation(line->server_) == line->incarnation_;
    if (is_running && !std::exchange(line->pipeline_informed_, true)) {
      line->world_.pipeline(line->server_)->closed(*line);
    }
  });
}

void Line::end_at_client(Time when) {
  world_.at(when, [line = shared_from_this()] {
    if (!std::exchange(line->client_done_, true)) line->user_.on_connection_lost(*line);
  });
}

void Line::abandon() {
  client_done_ = true;
  const Time learned = std::max(last_to_server_, world_.now() + world_.client_delay());
  world_.at(server_, learned, [line = shared_from_this()] { line->end_at_server(); });
}

void Line::cut() {
  if (cut_at_ != ~Time{0}) return;
  cut_at_ = world_.now();
  world_.at(server_, world_.now() + world_.random().below(10 * tick),
            [line = shared_from_this()] { line->end_at_server(); });
  end_at_client(world_.now() + world_.random().below(10 * tick));
}

void Line::ping_every(std::chrono::milliseconds interval) {
  if (protocol_) return protocol_->ping_every(interval, world_.clock());
  world_.at(server_, world_.now() + static_cast<Time>(interval.count()) * tick / tick_ms,
            [line = shared_from_this(), interval] { line->ping(interval); });
}

void Line::ping(std::chrono::milliseconds interval) {
  if (!is_open_at_server()) return;
  world_.at(arrival(last_to_client_), [line = shared_from_this()] {
    if (line->client_done_ || line->world_.now() > line->cut_at_) return;
    if (!line->user_.is_awake()) return;
    line->user_.receive(*line, wire::Reply{{}, {}, {}, wire::ReplyBody(wire::PongReply{})});
    line->world_.at(line->server_, line->arrival(line->last_to_server_), [line] {
      if (!line->is_open_at_server() || line->world_.now() > line->cut_at_) return;
      if (line->state.owner) line->world_.touch(line->server_, line->state.session);
      line->world_.pipeline(line->server_)->alive(*line);
    });
  });
  ping_every(interval);
}

}  // namespace sim
