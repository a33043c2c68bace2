#include "server/clients/listener.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <functional>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/budgets/network.h"
#include "server/clients/acceptors.h"
#include "server/clients/carrier.h"
#include "server/clients/client_event.h"
#include "server/clients/first_bytes.h"
#include "server/clients/gate.h"
#include "server/clients/http.h"
#include "server/clients/io_thread.h"
#include "server/clients/places.h"
#include "server/clients/stream.h"
#include "server/clients/zookeeper_protocol.h"
#include "server/logging/limited_log.h"
#include "server/threads/rethrow.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto without_throwing = asio::as_tuple(asio::use_awaitable);

// Counts 10.0.0.1 and ::ffff:10.0.0.1 as one address.
std::string name_of(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

// Refuses a client beyond the limits in the client protocol.
class Refusing final : public ClientHandler {
 public:
  void opened(const std::shared_ptr<ClientConnection>& connection) override {
    connection->send(wire::ConnectRefused{{wire::ErrorCode::too_many_connections,
                                           "too many connections to this server, in all or from "
                                           "this address; the limits are maxCnxns, "
                                           "maxClientCnxns and ulimit -n"}});
    connection->close(CloseCode::policy_violation, "too many connections");
  }
  void received(ClientConnection&, wire::ParsedFrame) override {}
  void alive(ClientConnection&) override {}
  void closed(ClientConnection&) override {}
};

// Counts one WebSocket that is being refused.
class Refusal {
 public:
  Refusal(std::shared_ptr<void> port, std::size_t& count) : port_(std::move(port)), count_(count) {
    count_ += 1;
  }
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;
  ~Refusal() { count_ -= 1; }

 private:
  const std::shared_ptr<void> port_;  // has the count
  std::size_t& count_;
};

wire::Format format_of(const Upgrade& upgrade) {
  const Subprotocol* asked = upgrade.subprotocol;
  return (asked != nullptr ? *asked : subprotocols.front()).format;
}

// Serves the connection on this thread.
void serve(Accepted client, std::unique_ptr<StreamProtocol> protocol, std::string_view received,
           ClientHandler& handler, CarrierContext& context) {
  const auto carrier = std::make_shared<Carrier>(
      std::move(client), std::move(protocol), context,
      [&handler](Carrier& from, ClientEvent&& event) { report(std::move(event), from, handler); });
  handler.opened(carrier);
  carrier->start(received);
}

void serve_websocket(Accepted client, ClientHandler& handler, CarrierContext& context) {
  auto protocol = websocket_protocol(client, context);
  serve(std::move(client), std::move(protocol), {}, handler, context);
}

// Serves the connection on this thread, even if I/O threads carry the WebSockets.
void serve_zookeeper(Accepted client, std::string_view received, ClientHandler& handler,
                     CarrierContext& context) {
  auto protocol = std::make_unique<ZooKeeperProtocol>(context.limits, context.counters,
                                                      client.accounts, SteadyClock::now());
  serve(std::move(client), std::move(protocol), received, handler, context);
}

}  // namespace

class Listener::Port : public std::enable_shared_from_this<Listener::Port> {
 public:
  Port(asio::io_context& io, ListenerOptions options, ClientHandler& handler,
       HttpHandlers http_handlers, std::shared_ptr<Ledger> ledger);

  std::optional<std::string> start();
  [[nodiscard]] const wire::Address& bound() const { return web_; }
  [[nodiscard]] PortCounters counters() const;
  [[nodiscard]] std::uint32_t connections_max() const { return options_.connections_max; }
  void stop();
  // Call it when the event loop does not run any more.
  void end() { io_threads_.clear(); }

 private:
  class Slot;  // the place of one connection, while it is open

  asio::awaitable<void> accept(Acceptor& acceptor);
  asio::awaitable<void> serve_client(HttpStream stream, std::string address);
  void serve_websocket(Accepted client);
  asio::awaitable<void> refuse(HttpStream& stream, const Upgrade& upgrade, std::string address);

  asio::io_context& io_;
  ClientHandler& handler_;
  const HttpHandlers http_handlers_;
  const ListenerOptions options_;
  const Gate gate_;
  const std::shared_ptr<Ledger> ledger_;
  CarrierContext carriers_;  // on this thread
  std::vector<std::unique_ptr<IoThread>> io_threads_;
  std::size_t served_by_io_threads_ = 0;  // decides which of them is next
  PortCounters counters_;

  wire::Address web_;
  std::vector<Acceptor> acceptors_;  // one for each address of the ports
  bool open_ = false;
  Places places_;
  std::size_t refusals_ = 0;    // WebSockets that are being refused
  std::set<HttpStream*> http_;  // connections before their upgrade
  Refusing refusing_;
};

Listener::Port::Port(asio::io_context& io, ListenerOptions options, ClientHandler& handler,
                     HttpHandlers http_handlers, std::shared_ptr<Ledger> ledger)
    : io_(io),
      handler_(handler),
      http_handlers_(std::move(http_handlers)),
      options_(std::move(options)),
      gate_(options_.gate),
      ledger_(std::move(ledger)),
      carriers_{options_.limits},
      web_(options_.web),
      places_({options_.connections_max, options_.connections_per_address, options_.kept_places}) {
  for (std::uint32_t i = 0; i < options_.io_threads; ++i) {
    io_threads_.push_back(std::make_unique<IoThread>(io, options_.limits));
  }
}

std::optional<std::string> Listener::Port::start() {
  if (auto problem = listen_on(web_, {"webPort", "webAddress"}, io_, acceptors_)) return problem;
  warn_if_only_loopback(web_.host, acceptors_);
  wire::Address client = options_.client;
  if (client.port != 0) {
    // If the client port listens on all addresses and has the same number, it serves the web port
    // too.
    if (client.port == web_.port && wire::is_any_address(client.host)) acceptors_.clear();
    const bool is_served = client.port == web_.port && client.host == web_.host;
    if (is_served && !acceptors_.empty()) client.port = 0;
  }
  if (client.port != 0) {
    if (auto problem = listen_on(client, {"clientPort", "clientPortAddress"}, io_, acceptors_))
      return problem;
  }
  open_ = true;
  for (std::size_t i = 0; i < acceptors_.size(); ++i) {
    asio::co_spawn(
        io_, [self = shared_from_this(), i] { return self->accept(self->acceptors_[i]); }, rethrow);
  }
  return std::nullopt;
}

PortCounters Listener::Port::counters() const {
  PortCounters counters = counters_;
  counters.add(carriers_.counters);
  for (const auto& thread : io_threads_) counters.add(thread->counters());
  return counters;
}

void Listener::Port::stop() {
  error_code ignored;
  open_ = false;
  for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
  for (HttpStream* stream : http_) stream->close();
}

asio::awaitable<void> Listener::Port::accept(Acceptor& acceptor) {
  asio::steady_timer pause(io_);
  bool warned = false;
  while (open_) {
    auto [error, socket] = co_await acceptor.async_accept(without_throwing);
    if (!open_) co_return;
    if (error == asio::error::connection_aborted) continue;
    if (error) {
      // There are no more files or memory. Try again later, when other connections have ended.
      if (!std::exchange(warned, true)) {
        log_limited(LineKind::connection_refused, spdlog::level::warn,
                    "cannot accept clients: {} (ulimit -n says how many files a process may open)",
                    error.message());
      }
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(without_throwing);
      continue;
    }
    warned = false;

    error_code gone;
    const tcp::endpoint peer = socket.remote_endpoint(gone);
    if (gone) continue;
    socket.set_option(tcp::no_delay(true), gone);
    asio::co_spawn(
        io_,
        [self = shared_from_this(), stream = HttpStream(std::move(socket)),
         address = name_of(peer.address())]() mutable {
          return self->serve_client(std::move(stream), std::move(address));
        },
        rethrow);
  }
}

class Listener::Port::Slot {
 public:
  Slot(std::shared_ptr<Port> port, const std::string& address, std::function<void()> end)
      : port_(std::move(port)), place_(port_->places_.take(address, std::move(end))) {}

  [[nodiscard]] Places::Kind kind() const { return place_.kind(); }

 private:
  const std::shared_ptr<Port> port_;
  const Places::Place place_;
};

asio::awaitable<void> Listener::Port::serve_client(HttpStream stream, std::string address) {
  auto slot = std::make_shared<Slot>(shared_from_this(), network_of(address), [this, &stream] {
    counters_.displaced += 1;
    stream.close();
  });
  std::shared_ptr<AddressAccounts> accounts = ledger_->of(address);
  counters_.accepted += 1;
  const bool is_ordinary = slot->kind() == Places::Kind::ordinary;

  http_.insert(&stream);
  FirstBytes first = co_await read_first_bytes(stream, options_.limits);
  if (first.speaks == Speaks::word && open_) {
    co_await answer_word(stream, http_handlers_.word(first.bytes.substr(0, 4)), options_.limits);
  }
  if (first.speaks == Speaks::zookeeper && !is_ordinary) counters_.refused += 1;
  if (first.speaks == Speaks::zookeeper && open_ && is_ordinary) {
    http_.erase(&stream);
    co_return serve_zookeeper({Stream(std::move(stream)), wire::Format::json, std::move(address),
                               std::move(accounts), std::move(slot)},
                              first.bytes, handler_, carriers_);
  }
  HttpOutcome outcome;
  if (first.speaks == Speaks::http && open_) {
    outcome = co_await serve_http(
        stream, std::move(first.bytes), address, accounts, gate_, http_handlers_,
        is_ordinary ? Capacity::available : Capacity::full, options_.limits);
  }
  if (outcome.is_slow) counters_.slow_heads += 1;
  bool upgraded = false;
  if (outcome.upgrade && is_ordinary && open_) {
    upgraded = co_await grant_upgrade(stream, *outcome.upgrade, options_.limits);
  }
  http_.erase(&stream);
  if (!open_) co_return;
  if (outcome.upgrade && !is_ordinary) {
    co_return co_await refuse(stream, *outcome.upgrade, std::move(address));
  }
  if (!upgraded) co_return;

  const wire::Format format = format_of(*outcome.upgrade);
  serve_websocket({Stream(std::move(stream)), format, std::move(address), std::move(accounts),
                   std::move(slot)});
}

// Refuses in the client protocol, or in HTTP if too many clients are being refused already.
// Meanwhile another client may take this one's kept place. That closes `stream`, so `stream` must
// not move.
asio::awaitable<void> Listener::Port::refuse(HttpStream& stream, const Upgrade& upgrade,
                                             std::string address) {
  counters_.refused += 1;
  if (refusals_ >= options_.kept_places) {
    co_return co_await refuse_upgrade(stream, options_.limits);
  }
  const auto counted = std::make_shared<Refusal>(shared_from_this(), refusals_);
  if (!co_await grant_upgrade(stream, upgrade, options_.limits)) co_return;
  const wire::Format format = format_of(upgrade);
  std::shared_ptr<AddressAccounts> accounts = ledger_->of(address);
  server::serve_websocket(
      {Stream(std::move(stream)), format, std::move(address), std::move(accounts), counted},
      refusing_, carriers_);
}

void Listener::Port::serve_websocket(Accepted client) {
  if (io_threads_.empty()) {
    server::serve_websocket(std::move(client), handler_, carriers_);
  } else {
    IoThread& next = *io_threads_[served_by_io_threads_++ % io_threads_.size()];
    next.serve(std::move(client), handler_);
  }
}

Listener::Listener(asio::io_context& io, ListenerOptions options, ClientHandler& handler,
                   HttpHandlers http_handlers, std::shared_ptr<Ledger> ledger)
    : port_(std::make_shared<Port>(io, std::move(options), handler, std::move(http_handlers),
                                   std::move(ledger))) {}

Listener::~Listener() {
  stop();
  port_->end();
}

std::optional<std::string> Listener::start() { return port_->start(); }
const wire::Address& Listener::bound() const { return port_->bound(); }
PortCounters Listener::counters() const { return port_->counters(); }

std::uint32_t Listener::connections_max() const { return port_->connections_max(); }
void Listener::stop() { port_->stop(); }

}  // namespace server
