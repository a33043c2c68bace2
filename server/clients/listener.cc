#include "server/clients/listener.h"

#include <cerrno>
#include <exception>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/clients/carrier.h"
#include "server/clients/client_event.h"
#include "server/clients/gate.h"
#include "server/clients/http.h"
#include "server/clients/io_thread.h"
#include "server/clients/stream.h"
#include "server/logging/limited_log.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

// At most this many connections beyond the limits get an answer; others are closed without one.
constexpr std::size_t refusals_max = 64;

// An exception from a handler is an error of this program: it ends the event loop.
void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

// Counts 10.0.0.1 and ::ffff:10.0.0.1 as one address.
std::string name_of(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

std::string bind_complaint(const wire::Address& web, const error_code& error) {
  const std::string port = std::to_string(web.port);
  if (error == asio::error::address_in_use) {
    return "port " + port + " on " + web.host +
           " is in use by another process; choose another with webPort=";
  }
  if (error == asio::error::access_denied) {
    return "port " + port + " on " + web.host +
           " is not open to this user; choose one above 1023 with webPort=";
  }
  if (error.value() == EADDRNOTAVAIL) {
    return "this machine has no address " + web.host +
           "; choose another with webAddress=, or 0.0.0.0 for all its addresses";
  }
  return "cannot listen on " + to_string(web) + ": " + error.message();
}

// Refuses a client beyond the limits in the client protocol.
class Refusing final : public ClientHandler {
 public:
  void opened(const std::shared_ptr<ClientConnection>& connection) override {
    connection->send(wire::ConnectRefused{{wire::ErrorCode::too_many_connections,
                                           "too many connections to this server, in all or from "
                                           "this address; the limits are maxCnxns and "
                                           "maxClientCnxns"}});
    connection->close(CloseCode::policy_violation, "too many connections");
  }
  void received(ClientConnection&, wire::ParsedFrame) override {}
  void alive(ClientConnection&) override {}
  void closed(ClientConnection&) override {}
};

// Carries the connection on this thread.
void serve(Accepted client, ClientHandler& handler, CarrierContext& context) {
  const auto carrier = std::make_shared<Carrier>(
      std::move(client), context,
      [&handler](Carrier& from, ClientEvent&& event) { report(std::move(event), from, handler); });
  carrier->start();
  handler.opened(carrier);
}

}  // namespace

class Listener::Port : public std::enable_shared_from_this<Listener::Port> {
 public:
  Port(asio::io_context& io, ListenerOptions options, ClientHandler& handler,
       HttpHandlers http_handlers);

  std::optional<std::string> start();
  [[nodiscard]] const wire::Address& bound() const { return web_; }
  [[nodiscard]] PortCounters counters() const;
  void stop();
  // Call it when the event loop does not run any more.
  void end() { io_threads_.clear(); }

 private:
  class ConnectionSlot;  // counts one connection, while it is open

  asio::awaitable<void> accept();
  asio::awaitable<void> serve_client(HttpStream stream, std::string address);
  void serve_websocket(Accepted client, Capacity capacity);
  [[nodiscard]] bool is_full(const std::string& address) const;

  asio::io_context& io_;
  ClientHandler& handler_;
  const HttpHandlers http_handlers_;
  const ListenerOptions options_;
  const Gate gate_;
  CarrierContext carriers_;  // on this thread
  std::vector<std::unique_ptr<IoThread>> io_threads_;
  std::size_t served_by_io_threads_ = 0;  // decides which of them is next
  PortCounters counters_;

  wire::Address web_;
  Acceptor acceptor_;
  std::map<std::string, std::uint32_t> connected_;  // by address; never 0
  std::size_t connections_ = 0;                     // the sum of connected_
  std::size_t refusals_ = 0;                        // connections beyond the limits
  std::set<HttpStream*> http_;                      // connections before their upgrade
  Refusing refusing_;
};

Listener::Port::Port(asio::io_context& io, ListenerOptions options, ClientHandler& handler,
                     HttpHandlers http_handlers)
    : io_(io),
      handler_(handler),
      http_handlers_(std::move(http_handlers)),
      options_(std::move(options)),
      gate_(options_.gate),
      carriers_{options_.limits},
      web_(options_.web),
      acceptor_(io) {
  for (std::uint32_t i = 0; i < options_.io_threads; ++i) {
    io_threads_.push_back(std::make_unique<IoThread>(io, options_.limits));
  }
}

std::optional<std::string> Listener::Port::start() {
  error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(web_.host, std::to_string(web_.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return "cannot resolve webAddress=" + web_.host + ": " + error.message() +
           "; choose another, or 0.0.0.0 for all addresses of this machine";
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) web_.port = acceptor_.local_endpoint(error).port();
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
    return bind_complaint(web_, error);
  }
  asio::co_spawn(
      io_, [self = shared_from_this()] { return self->accept(); }, rethrow);
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
  acceptor_.close(ignored);
  for (HttpStream* stream : http_) stream->close();
}

bool Listener::Port::is_full(const std::string& address) const {
  if (options_.connections_max != 0 && connections_ >= options_.connections_max) return true;
  const auto same = connected_.find(address);
  return options_.connections_per_address != 0 && same != connected_.end() &&
         same->second >= options_.connections_per_address;
}

asio::awaitable<void> Listener::Port::accept() {
  asio::steady_timer pause(io_);
  bool warned = false;
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(as_tuple);
    if (!acceptor_.is_open()) co_return;
    if (error == asio::error::connection_aborted) continue;
    if (error) {
      // Out of files or memory: try again later, when other connections have ended.
      if (!std::exchange(warned, true)) {
        log_limited(
            LineKind::connection_refused, spdlog::level::warn,
            "cannot accept clients: {} (how many files a process may open is set by ulimit -n)",
            error.message());
      }
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(as_tuple);
      continue;
    }
    warned = false;

    error_code gone;
    const tcp::endpoint peer = socket.remote_endpoint(gone);
    if (gone) continue;
    if (refusals_ >= refusals_max && is_full(name_of(peer.address()))) {
      counters_.accepted += 1;
      counters_.refused += 1;
      continue;
    }
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

// Connections beyond the limits are counted separately: they do not count against the limits.
class Listener::Port::ConnectionSlot {
 public:
  ConnectionSlot(std::shared_ptr<Port> port, std::string address)
      : port_(std::move(port)),
        address_(std::move(address)),
        capacity_(port_->is_full(address_) ? Capacity::full : Capacity::available) {
    if (capacity_ == Capacity::full) {
      ++port_->refusals_;
    } else {
      ++port_->connections_;
      ++port_->connected_[address_];
    }
  }
  ConnectionSlot(const ConnectionSlot&) = delete;
  ConnectionSlot& operator=(const ConnectionSlot&) = delete;
  ~ConnectionSlot() {
    if (capacity_ == Capacity::full) {
      --port_->refusals_;
    } else {
      --port_->connections_;
      if (--port_->connected_[address_] == 0) port_->connected_.erase(address_);
    }
  }

  [[nodiscard]] Capacity capacity() const { return capacity_; }

 private:
  const std::shared_ptr<Port> port_;
  const std::string address_;
  const Capacity capacity_;
};

asio::awaitable<void> Listener::Port::serve_client(HttpStream stream, std::string address) {
  auto slot = std::make_shared<ConnectionSlot>(shared_from_this(), address);
  counters_.accepted += 1;

  http_.insert(&stream);
  const HttpOutcome outcome = co_await serve_http(stream, address, gate_, http_handlers_,
                                                  slot->capacity(), options_.limits);
  bool upgraded = false;
  if (outcome.upgrade && acceptor_.is_open()) {
    upgraded = co_await grant_upgrade(stream, *outcome.upgrade, options_.limits);
  }
  http_.erase(&stream);
  if (!upgraded || !acceptor_.is_open()) co_return;

  const Subprotocol* asked = outcome.upgrade->subprotocol;
  const wire::Format format = (asked != nullptr ? *asked : subprotocols.front()).format;
  const Capacity capacity = slot->capacity();
  serve_websocket({Stream(std::move(stream)), format, std::move(address), std::move(slot)},
                  capacity);
}

void Listener::Port::serve_websocket(Accepted client, Capacity capacity) {
  if (capacity == Capacity::full) {
    counters_.refused += 1;
    serve(std::move(client), refusing_, carriers_);
  } else if (io_threads_.empty()) {
    serve(std::move(client), handler_, carriers_);
  } else {
    IoThread& next = *io_threads_[served_by_io_threads_++ % io_threads_.size()];
    next.serve(std::move(client), handler_);
  }
}

Listener::Listener(asio::io_context& io, ListenerOptions options, ClientHandler& handler,
                   HttpHandlers http_handlers)
    : port_(std::make_shared<Port>(io, std::move(options), handler, std::move(http_handlers))) {}

Listener::~Listener() {
  stop();
  port_->end();
}

std::optional<std::string> Listener::start() { return port_->start(); }
const wire::Address& Listener::bound() const { return port_->bound(); }
PortCounters Listener::counters() const { return port_->counters(); }
void Listener::stop() { port_->stop(); }

}  // namespace server
