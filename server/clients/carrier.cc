#include "server/clients/carrier.h"

#include <algorithm>
#include <span>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "server/clients/client_protocol.h"
#include "server/clients/outbox.h"

namespace server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using StreamEnd = StreamProtocol::StreamEnd;

// A write buffer larger than this is freed after the write.
constexpr std::size_t kept_bytes = 256 * 1024;

}  // namespace

std::unique_ptr<StreamProtocol> websocket_protocol(const Accepted& client,
                                                   CarrierContext& context) {
  return std::make_unique<ClientProtocol>(client.format, context.limits, context.counters,
                                          client.accounts, SteadyClock::now());
}

Carrier::Carrier(Accepted client, std::unique_ptr<StreamProtocol> protocol, CarrierContext& context,
                 EventSink sink)
    : stream_(std::move(client.stream)),
      context_(context),
      sink_(std::move(sink)),
      slot_(std::move(client.slot)),
      remote_address_(std::move(client.remote_address)),
      protocol_(std::move(protocol)),
      timer_(stream_.get_executor()) {}

void Carrier::start(std::string_view received) {
  if (received.empty()) return carry_out();
  const std::span<char> buffer(context_.read_buffer.data(), received.size());
  std::ranges::copy(received, buffer.begin());
  protocol_->receive(buffer);
  deliver();
}

// --- From the owner ---

void Carrier::send(const wire::ServerMessage& message) {
  protocol_->queue().send(message) ? carry_out() : close_as_too_slow();
}

Offer Carrier::offer(const wire::ServerMessage& message) {
  const Offer offer = protocol_->queue().offer(message);
  carry_out();
  return offer;
}

void Carrier::add(std::string_view encoded) {
  protocol_->queue().add(encoded);
  carry_out();
}

void Carrier::close_as_too_slow() {
  protocol_->close_as_too_slow(SteadyClock::now());
  carry_out();
}

void Carrier::close(CloseCode code, std::string reason) {
  protocol_->close(code, std::move(reason), StreamProtocol::Drain::yes, SteadyClock::now());
  carry_out();
}

void Carrier::resume() {
  protocol_->resume();
  carry_out();
}

void Carrier::ping_every(std::chrono::milliseconds interval) {
  protocol_->ping_every(interval, SteadyClock::now());
  carry_out();
}

// --- From the stream ---

void Carrier::wait_readable() {
  if (waits_readable_ || !protocol_->wants_bytes()) return;
  waits_readable_ = true;
  stream_.async_wait_readable([self = shared_from_this()](const error_code& error) {
    self->waits_readable_ = false;
    if (error) self->protocol_->lost();
    if (self->protocol_->wants_bytes()) return self->read();
    self->carry_out();
  });
}

void Carrier::read() {
  std::span<char> buffer(context_.read_buffer);
  buffer = buffer.first(protocol_->readable_bytes(buffer.size()));
  if (buffer.empty()) {
    protocol_->hold_back(SteadyClock::now());
    return carry_out();
  }
  error_code error;
  const std::size_t size = stream_.read_some(buffer, error);
  if (error == asio::error::would_block) return wait_readable();
  if (error) {
    protocol_->lost();
    return carry_out();
  }
  protocol_->receive(buffer.first(size));
  deliver();
}

// Next: ClientProtocol::next (client_protocol.cc), or ZooKeeperProtocol::next. `sink_` passes its
// events to the owner: requests to Pipeline::received. All replies that are ready by then leave in
// one write.
void Carrier::deliver() {
  delivers_ = true;
  const auto now = SteadyClock::now();
  while (auto event = protocol_->next(now)) sink_(*this, std::move(*event));
  delivers_ = false;
  if (protocol_->end() == StreamEnd::close) slot_.reset();  // the last event was Closed
  if (!waits_to_write_) write();
  carry_out();
}

// Delivers in another turn of the event loop, so that the owner gets no event during its own call.
void Carrier::deliver_soon() {
  if (std::exchange(will_deliver_, true)) return;
  asio::post(get_executor(), [self = shared_from_this()] {
    self->will_deliver_ = false;
    self->deliver();
  });
}

// --- To the stream ---

// Tries to write at once, from a buffer that all connections share. Only what the stream does not
// accept is kept.
void Carrier::write() {
  if (!protocol_->has_output()) return;
  std::string& bytes = context_.write_buffer;
  bytes.clear();
  const auto now = SteadyClock::now();
  protocol_->compose(bytes, now);
  error_code error;
  const std::size_t size = stream_.write_some(bytes, error);
  if (!error && size < bytes.size()) out_ = bytes.substr(size);
  if (bytes.capacity() > kept_bytes) release(bytes);
  if (error) return protocol_->lost();
  protocol_->written(size, now);
  sink_(*this, Sent{protocol_->queue().bytes(), protocol_->is_paused()});
  if (!out_.empty()) write_rest();
}

// Writes in parts, because each part that the stream accepts is progress.
void Carrier::write_rest() {
  stream_.async_write_some(
      std::string_view(out_).substr(out_written_),
      [self = shared_from_this()](const error_code& failure, std::size_t size) {
        self->out_written_ += size;
        const bool is_done = failure || self->out_written_ == self->out_.size();
        if (is_done) {
          release(self->out_);
          self->out_written_ = 0;
        }
        self->protocol_->written(size, SteadyClock::now());
        if (failure) self->protocol_->lost();
        self->sink_(*self, Sent{self->protocol_->queue().bytes(), self->protocol_->is_paused()});
        if (!is_done) self->write_rest();
        self->carry_out();
      });
}

void Carrier::take_turn() {
  waits_to_write_ = false;
  write();
  carry_out();
}

// Does what the protocol asks for after any input.
void Carrier::carry_out() {
  if (delivers_) return;  // `deliver` does it at its end
  const StreamEnd end = protocol_->end();
  if (std::exchange(end_, end) != end) {
    end == StreamEnd::close ? stream_.close() : stream_.shut_down();
  }
  set_timer();
  if (protocol_->has_output() && !std::exchange(waits_to_write_, true)) {
    context_.turns.enter(shared_from_this());
  }
  protocol_->has_events() ? deliver_soon() : wait_readable();
}

void Carrier::set_timer() {
  const auto deadline = protocol_->deadline();
  if (deadline == timer_.expiry()) return;
  timer_.expires_at(deadline);
  if (deadline == StreamProtocol::never) return;
  timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->protocol_->time_is(SteadyClock::now());
    self->carry_out();
  });
}

}  // namespace server
