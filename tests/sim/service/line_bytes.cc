#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

#include "tests/sim/service/user.h"
#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"
#include "wire/json.h"

// A connection whose messages cross as bytes. It does for the server's ClientProtocol what a
// Carrier (server/clients/carrier.h) does with a socket.
namespace sim {
namespace {

using server::ClientProtocol;
using server::Opcode;

// So much the server reads at once.
constexpr std::size_t read_bytes = 4096;
constexpr std::string_view mask = "\x37\xfa\x21\x3d";

std::string client_frame(Opcode opcode, std::string_view payload) {
  std::string bytes;
  server::append_masked_websocket_frame(opcode, payload, mask, bytes);
  return bytes;
}

std::string text_of(const std::vector<std::shared_ptr<TrackedRequest>>& frame) {
  std::string text;
  for (const auto& tracked : frame) {
    text += text.empty() ? '[' : ',';
    wire::json::write(tracked->request, text);
  }
  return text + ']';
}

// The size of the first of the frames that a server sends.
std::size_t frame_size(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[i])}; };
  std::size_t length = at(1);
  std::size_t head = 2;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (more > 0) length = 0;
  for (; head < 2 + more; ++head) length = length << 8 | at(head);
  return head + length;
}

}  // namespace

ClientProtocol::Time World::clock() const {
  return ClientProtocol::Time(std::chrono::milliseconds(tick_ms) *
                              static_cast<std::int64_t>(now()) / static_cast<std::int64_t>(tick));
}

void Line::open_protocol() {
  World::Server& one = world_.servers_[server_];
  protocol_ =
      std::make_unique<ClientProtocol>(wire::Format::json, world_.client_limits(), one.connections,
                                       one.ledger->of(remote_address()), world_.clock());
  carry_out();
}

// --- From the client ---

void Line::send_bytes(Frame frame) {
  if (stalled_) return;
  const std::string bytes = client_frame(Opcode::text, text_of(frame));
  coming_.push_back(std::move(frame));
  const User::Pace pace = user_.next_pace();
  const std::size_t piece = bytes.size() / pace.pieces + 1;
  for (std::size_t at = 0; at < bytes.size() && !stalled_; at += piece) {
    world_.at(server_, arrival(last_to_server_),
              [line = shared_from_this(), some = bytes.substr(at, piece)] { line->arrive(some); });
    last_to_server_ += pace.delay;
    stalled_ = pace.stalls;
  }
}

void Line::arrive(const std::string& bytes) {
  if (!protocol_ || world_.now() > cut_at_) return;
  input_ += bytes;
  read();
}

void Line::read() {
  const auto self = shared_from_this();
  take_events();
  while (protocol_ && protocol_->wants_bytes() && !input_.empty()) {
    const std::size_t size = protocol_->readable_bytes(std::min(input_.size(), read_bytes));
    if (size == 0) {
      protocol_->hold_back(world_.clock());
      break;
    }
    std::string some = input_.substr(0, size);
    input_.erase(0, size);
    protocol_->receive(some);
    take_events();
  }
  carry_out();
}

void Line::take_events() {
  while (protocol_) {
    auto event = protocol_->next(world_.clock());
    if (!event) return;
    if (auto* parsed = std::get_if<wire::ParsedFrame>(&*event)) receive(std::move(*parsed));
    if (std::holds_alternative<server::Alive>(*event) && !server_done_) {
      if (state.owner) world_.touch(server_, state.session);
      world_.pipeline(server_)->alive(*this);
    }
  }
}

// A frame that is refused as a whole has one error. Only frames of one request are that large.
void Line::receive(wire::ParsedFrame parsed) {
  const Frame frame = std::move(coming_.front());
  coming_.pop_front();
  if (parsed.requests.size() != frame.size()) {
    throw Violation("budgets", "a frame of " + std::to_string(frame.size()) + " requests is read " +
                                   "as one of " + std::to_string(parsed.requests.size()));
  }
  handle(frame, std::move(parsed));
  world_.check_budgets(server_);
}

// --- To the client ---

void Line::transfer_later() {
  transfers_ += 1;
  world_.at(server_, arrival(last_to_client_), [line = shared_from_this()] { line->transfer(); });
}

// The client takes one frame. One that does not read makes the server wait.
void Line::transfer() {
  transfers_ -= 1;
  if (!protocol_ || client_done_ || world_.now() > cut_at_) return;
  if (!user_.takes_messages()) {
    last_to_client_ = std::max(last_to_client_, world_.now() + tick);
    return transfer_later();
  }
  if (output_.empty()) protocol_->compose(output_, world_.clock());
  if (!output_.empty()) {
    const std::size_t size = frame_size(output_);
    const auto opcode = static_cast<Opcode>(output_[0] & 0x0f);
    output_.erase(0, size);
    protocol_->written(size, world_.clock());
    deliver(opcode);
    const bool informs = protocol_ && protocol_->is_paused() && !server_done_;
    if (informs) world_.pipeline(server_)->sent(*this);
    world_.check_budgets(server_);
  }
  read();
}

void Line::deliver(Opcode opcode) {
  if (opcode == Opcode::close) {
    end_at_client(world_.now());
    return world_.at(server_, world_.now() + world_.client_delay(),
                     [line = shared_from_this()] { line->end_at_server(); });
  }
  if (opcode == Opcode::text) {
    const wire::ServerMessage message = std::move(outgoing_.front());
    outgoing_.pop_front();
    return user_.receive(*this, message);
  }
  if (!user_.is_awake() || stalled_) return;
  user_.receive(*this, wire::Reply{{}, {}, {}, wire::ReplyBody(wire::PongReply{})});
  world_.at(server_, arrival(last_to_server_),
            [line = shared_from_this()] { line->arrive(client_frame(Opcode::pong, {})); });
}

// --- The end ---

void Line::close_as_too_slow() {
  if (!protocol_) return ClientConnection::close_as_too_slow();
  if (server_done_) return;
  if (!user_.is_greedy() && protocol_->queue().bytes() < server::small_queue_bytes) {
    throw Violation("bystander", "user " + std::to_string(user_.number()) +
                                     " is too slow, and little waits for it");
  }
  protocol_->close_as_too_slow(world_.clock());
  close_soon();
}

// The close frame is still to be sent.
void Line::close_soon() {
  if (!std::exchange(server_done_, true)) world_.oracle().on_connection_ended(state);
  world_.at(server_, world_.now(), [line = shared_from_this()] { line->carry_out(); });
}

// The stream is gone.
void Line::end_protocol() {
  protocol_->lost();
  carry_out();
}

// Does what the protocol asks for, after any input to it.
void Line::carry_out() {
  if (!protocol_) return;
  if (protocol_->end() == ClientProtocol::StreamEnd::close) {
    if (!std::exchange(server_done_, true)) world_.oracle().on_connection_ended(state);
    protocol_.reset();
    inform_pipeline();
    return end_at_client(world_.now() + world_.client_delay());
  }
  set_timer();
  if (transfers_ == 0 && (protocol_->has_output() || !output_.empty())) transfer_later();
}

void Line::set_timer() {
  const ClientProtocol::Time deadline = protocol_->deadline();
  if (std::exchange(timer_, deadline) == deadline || deadline == ClientProtocol::never) return;
  const auto since_start =
      std::chrono::ceil<std::chrono::milliseconds>(deadline.time_since_epoch());
  const Time when = static_cast<Time>(since_start.count()) * tick / tick_ms;
  world_.at(server_, std::max(when, world_.now()), [line = shared_from_this(), deadline] {
    if (!line->protocol_ || line->timer_ != deadline) return;
    line->timer_ = {};
    line->protocol_->time_is(line->world_.clock());
    line->read();
  });
}

}  // namespace sim
