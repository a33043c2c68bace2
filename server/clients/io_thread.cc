#include "server/clients/io_thread.h"

#include <atomic>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>

#include "server/clients/client_event.h"
#include "server/clients/outbox.h"
#include "server/threads/thread.h"

namespace server {
namespace {

namespace asio = boost::asio;

// Events of one client that the event loop has not handled yet. At this many, nothing is read from
// the client until half of them are handled. Each event may be as large as the largest frame.
constexpr int unhandled_max = 32;

}  // namespace

// A client of an I/O thread, as the event loop sees it. The owner's requests cross to the thread,
// and the carrier's events cross back, as values that are posted to the other event loop.
class IoThread::Client final : public ClientConnection,
                               public std::enable_shared_from_this<Client> {
 public:
  Client(IoThread& thread, ClientHandler& handler, const Accepted& client)
      : thread_(thread),
        handler_(handler),
        remote_address_(client.remote_address),
        format_(client.format),
        accounts_(client.accounts),
        slot_(client.slot),
        main_busy_(asio::make_work_guard(thread.main_)) {}

  // Called on the event loop.

  void start(Accepted client);
  void send(const wire::ServerMessage& message) override;
  [[nodiscard]] Offer offer(const wire::ServerMessage& message) override;
  [[nodiscard]] bool has_room(std::size_t bytes) const override;
  void allow_batches() override { ask(AllowBatches{}); }
  void close(CloseCode code, std::string reason) override { end(Close{code, std::move(reason)}); }
  void close_as_too_slow() override {
    if (!closing_) end(CloseAsTooSlow{});
  }
  // Holds events back. The thread stops reading from the client when many are not handled.
  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    handle_events_soon();
  }
  void ping_every(std::chrono::milliseconds interval) override { ask(PingEvery{interval}); }
  [[nodiscard]] std::size_t queued_bytes() const override { return crossing_ + queued_; }
  [[nodiscard]] std::string remote_address() const override { return remote_address_; }

  // Called on the thread.

  void carry_out(Request& request);

 private:
  // Called on the event loop.

  void ask(Request request) { thread_.ask(shared_from_this(), std::move(request)); }
  // After this request only the end of the connection is reported.
  void end(Request request);
  // Whether so many more bytes may wait on an open connection.
  [[nodiscard]] bool may_wait(std::size_t bytes) const;
  void handle_events();
  void handle_events_soon();

  // Called on the thread.

  void pass_on(Carrier& carrier, ClientEvent&& event);

  IoThread& thread_;
  ClientHandler& handler_;
  const std::string remote_address_;
  const wire::Format format_;
  const std::shared_ptr<AddressAccounts> accounts_;

  // Used on the event loop.
  std::shared_ptr<void> slot_;
  asio::executor_work_guard<asio::io_context::executor_type> main_busy_;
  struct Reported {
    ClientEvent event;
    Charge charge;  // of a frame
  };
  std::list<Reported> events_;  // not handled yet
  int handled_ = 0;             // events that the thread does not count as handled yet
  bool closing_ = false;

  // Used on the thread.
  std::weak_ptr<Carrier> carrier_;
  int unhandled_ = 0;  // events
  bool held_ = false;  // the carrier is paused until events are handled

  // Written on both: only the newest value matters.
  std::atomic<std::size_t> crossing_ = 0;  // bytes that have not reached the thread
  std::atomic<std::size_t> queued_ = 0;    // bytes that wait there
  std::atomic<bool> paused_ = false;       // written on the event loop only
};

void IoThread::Client::start(Accepted client) {
  client.slot = nullptr;  // this object has it: it is released on the event loop
  auto shared = std::make_shared<Accepted>(std::move(client));
  asio::post(thread_.io_, [self = shared_from_this(), shared] {
    shared->stream.move_to(self->thread_.io_);
    auto protocol = websocket_protocol(*shared, self->thread_.context_);
    const auto carrier = std::make_shared<Carrier>(
        std::move(*shared), std::move(protocol), self->thread_.context_,
        [self](Carrier& from, ClientEvent&& event) { self->pass_on(from, std::move(event)); });
    self->carrier_ = carrier;
    self->thread_.carriers_.insert(carrier);
    carrier->start();
  });
  handler_.opened(shared_from_this());
}

// Encodes the message before it crosses, so that its bytes count from now on.
void IoThread::Client::send(const wire::ServerMessage& message) {
  if (closing_) return;
  const std::shared_ptr<Account> account = account_of(accounts_, Budget::waiting);
  Send encoded;
  append_message(message, format_, encoded.encoded);
  const std::size_t size = encoded.encoded.size();
  if (!may_wait(size)) return end(CloseAsTooSlow{});
  encoded.charge = Charge(account, size);
  crossing_ += size;
  ask(std::move(encoded));
}

bool IoThread::Client::may_wait(std::size_t bytes) const {
  const std::size_t queued = queued_bytes() + bytes;
  return queued <= thread_.context_.limits.queued_bytes_max &&
         (queued < small_queue_bytes || (*accounts_)[Budget::waiting].accepts(queued));
}

bool IoThread::Client::has_room(std::size_t bytes) const {
  if (closing_) return true;
  const std::size_t queued = queued_bytes();
  // The queue's memory doubles when it is full.
  const std::size_t memory = 2 * queued + bytes;
  return queued + bytes <= thread_.context_.limits.queued_bytes_max &&
         (memory < small_queue_bytes ||
          (*accounts_)[Budget::waiting].has_room(queued, memory - queued));
}

Offer IoThread::Client::offer(const wire::ServerMessage& message) {
  if (closing_) return Offer::queued;
  const std::shared_ptr<Account> account = account_of(accounts_, Budget::waiting);
  Send encoded;
  append_message(message, format_, encoded.encoded);
  const std::size_t size = encoded.encoded.size();
  const std::size_t queued = queued_bytes();
  const bool is_too_large = queued + size > thread_.context_.limits.queued_bytes_max;
  const bool has_room = queued + size < Holding::step || account->has_room(queued, size);
  if (is_too_large) return queued == 0 ? Offer::too_large : Offer::no_room;
  if (!has_room) return Offer::no_room;
  encoded.charge = Charge(account, size);
  crossing_ += size;
  ask(std::move(encoded));
  return Offer::queued;
}

void IoThread::Client::end(Request request) {
  closing_ = true;
  handle_events_soon();
  ask(std::move(request));
}

void IoThread::Client::carry_out(Request& request) {
  struct Visitor {
    Client& client;
    Carrier& carrier;
    void operator()(Send& send) const {
      send.charge.give_back();
      carrier.add(send.encoded);
      client.queued_ = carrier.queued_bytes();
      client.crossing_ -= send.encoded.size();
    }
    void operator()(AllowBatches) const { carrier.allow_batches(); }
    void operator()(Close& close) const { carrier.close(close.code, std::move(close.reason)); }
    void operator()(CloseAsTooSlow) const { carrier.close_as_too_slow(); }
    void operator()(PingEvery ping) const { carrier.ping_every(ping.interval); }
    void operator()(Handled handled) const {
      client.unhandled_ -= handled.events;
      const bool is_few = client.unhandled_ <= unhandled_max / 2;
      if (is_few && std::exchange(client.held_, false)) carrier.resume();
    }
  };
  if (const auto carrier = carrier_.lock()) std::visit(Visitor{*this, *carrier}, request);
}

void IoThread::Client::pass_on(Carrier& carrier, ClientEvent&& event) {
  if (const auto* sent = std::get_if<Sent>(&event)) {
    queued_ = sent->queued_bytes;
    if (!paused_) return;
    return asio::post(thread_.main_, [self = shared_from_this()] {
      if (!self->closing_) self->handler_.sent(*self);
    });
  }
  if (++unhandled_ >= unhandled_max) {
    held_ = true;
    carrier.pause();
  }
  if (std::holds_alternative<Closed>(event)) thread_.carriers_.erase(carrier.shared_from_this());
  Reported reported{std::move(event), {}};
  if (const auto* frame = std::get_if<wire::ParsedFrame>(&reported.event)) {
    reported.charge = Charge(account_of(accounts_, Budget::requests),
                             frame->bytes + frame->requests.size() * sizeof(wire::ParsedRequest));
  }
  asio::post(thread_.main_, [self = shared_from_this(), reported = std::move(reported)]() mutable {
    self->events_.push_back(std::move(reported));
    self->handle_events();
  });
}

// Reports the events before the end of the connection, then the end. If the owner has closed the
// connection, reports only the end.
void IoThread::Client::handle_events() {
  while (!events_.empty() && (!paused_ || closing_)) {
    ClientEvent event = std::move(events_.front().event);
    events_.pop_front();
    const bool is_end = std::holds_alternative<Closed>(event);
    if (is_end) closing_ = true;
    if (is_end || !closing_) report(std::move(event), *this, handler_);
    if (is_end) {
      slot_.reset();
      return main_busy_.reset();
    }
    if (++handled_ == unhandled_max / 2) ask(Handled{std::exchange(handled_, 0)});
  }
}

void IoThread::Client::handle_events_soon() {
  asio::post(thread_.main_, [self = shared_from_this()] { self->handle_events(); });
}

IoThread::IoThread(asio::io_context& main, const ClientLimits& limits)
    : main_(main),
      context_{limits},
      thread_(start_thread("that serves clients (ioThreads)", [this] { io_.run(); })) {}

IoThread::~IoThread() {
  io_.stop();
  thread_.join();
}

// All requests of one turn of the event loop cross together: messages that are queued together
// leave together.
void IoThread::ask(std::shared_ptr<Client> client, Request request) {
  requests_.emplace_back(std::move(client), std::move(request));
  if (requests_.size() > 1) return;
  asio::post(main_, [this] {
    asio::post(io_, [requests = std::exchange(requests_, {})]() mutable {
      for (auto& [asked, each] : requests) asked->carry_out(each);
    });
  });
}

void IoThread::serve(Accepted client, ClientHandler& handler) {
  const auto shared = std::make_shared<Client>(*this, handler, client);
  shared->start(std::move(client));
}

}  // namespace server
