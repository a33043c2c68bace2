#include "server/peers/links.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <xxhash.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include "server/peers/frame.h"

namespace server {
namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 256 * 1024;
// A server that is so far behind is better disconnected, and synchronized anew.
constexpr std::size_t queued_bytes_max = std::size_t{1} << 30;
constexpr std::size_t handshakes_max = 64;
constexpr Milliseconds redial_min{20};
constexpr Milliseconds redial_max{250};

// A hash of the configured members. Servers with different members would count different quorums,
// so they must not be linked.
std::uint64_t fingerprint(const std::vector<ServerLine>& servers) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  std::map<std::uint32_t, const ServerLine*> by_id;
  for (const ServerLine& line : servers) by_id[line.id] = &line;
  for (const auto& [id, line] : by_id) {
    out.integer(id);
    out.boolean(line->observer);
    out.integer(line->weight);
    out.integer(line->group);
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string advice(const error_code& error) {
  if (error == asio::error::address_in_use) {
    return "; is this server running already? If not, choose another port in its line, for all "
           "servers";
  }
  if (error == boost::system::errc::address_not_available) {
    return "; this machine has no such address: is the id (myid) that of another?";
  }
  return {};
}

}  // namespace

class Links::Impl : public std::enable_shared_from_this<Links::Impl> {
 public:
  Impl(asio::io_context& io, Options options, Callbacks callbacks)
      : io_(io),
        options_(std::move(options)),
        callbacks_(std::move(callbacks)),
        acceptor_(io),
        heartbeat_(io),
        ensemble_(fingerprint(options_.servers)) {}

  wire::Result<void> start();
  void stop();
  void send(zab::ServerId to, std::optional<std::uint64_t> connection, const PeerMessage& message);
  [[nodiscard]] std::size_t queued(zab::ServerId to) const;
  [[nodiscard]] LinkCounters counters(zab::ServerId server) const;

 private:
  struct Link {
    explicit Link(tcp::socket connected) : socket(std::move(connected)) {}

    tcp::socket socket;
    zab::ServerId server;
    LinkCounters* counters = nullptr;  // set once the other server is known
    std::uint64_t number = 0;
    FrameReader reader;
    wire::Bytes queued;   // frames that wait
    wire::Bytes leaving;  // frames that are being written
    bool flush_posted = false;
    bool closed = false;
    std::uint32_t silent_heartbeats = 0;
    bool quiet = true;  // nothing was sent since the last heartbeat
  };
  using LinkPtr = std::shared_ptr<Link>;

  [[nodiscard]] const ServerLine* line(zab::ServerId id) const;
  awaitable<void> accept_loop();
  awaitable<void> welcome(tcp::socket socket);
  awaitable<void> dial_loop(ServerLine peer);
  awaitable<LinkPtr> dial(const ServerLine& peer);
  awaitable<wire::Result<Hello>> greet(LinkPtr link, Hello mine, bool first);
  awaitable<void> read_loop(LinkPtr link);
  awaitable<void> heartbeat_loop();
  void take(const LinkPtr& link);
  void drop(const LinkPtr& link, const std::string& why);
  void queue(const LinkPtr& link, const PeerMessage& message);
  void flush(const LinkPtr& link);
  // Logs why there is no link with `peer`, once for each new reason.
  void complain(zab::ServerId peer, const std::string& why);

  asio::io_context& io_;
  Options options_;
  Callbacks callbacks_;
  tcp::acceptor acceptor_;
  asio::steady_timer heartbeat_;
  std::uint64_t ensemble_;
  std::map<zab::ServerId, LinkPtr> up_;
  std::map<zab::ServerId, std::string> complaints_;
  std::map<zab::ServerId, LinkCounters> counters_;
  std::uint64_t numbered_ = 0;
  std::size_t handshakes_ = 0;
  bool stopped_ = false;
};

wire::Result<void> Links::Impl::start() {
  const ServerLine* self = line(options_.self);
  const std::string where = self->peer.host + ':' + std::to_string(self->peer.port);
  const auto refuse = [&](const error_code& error) {
    return wire::Error{wire::ErrorCode::system_error,
                       "cannot listen for the other servers on " + where + " (server." +
                           std::to_string(self->id) + "): " + error.message() + advice(error)};
  };
  error_code error;
  tcp::resolver resolver(io_);
  const auto found = resolver.resolve(self->peer.host, std::to_string(self->peer.port), error);
  if (error || found.empty()) return refuse(error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (acceptor_.open(endpoint.protocol(), error); error) return refuse(error);
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (acceptor_.bind(endpoint, error); error) return refuse(error);
  if (acceptor_.listen(asio::socket_base::max_listen_connections, error); error) {
    return refuse(error);
  }

  asio::co_spawn(
      io_, [self_ = shared_from_this()] { return self_->accept_loop(); }, asio::detached);
  asio::co_spawn(
      io_, [self_ = shared_from_this()] { return self_->heartbeat_loop(); }, asio::detached);
  for (const ServerLine& peer : options_.servers) {
    if (peer.id >= options_.self.value) continue;
    asio::co_spawn(
        io_, [self_ = shared_from_this(), peer] { return self_->dial_loop(peer); }, asio::detached);
  }
  return {};
}

void Links::Impl::stop() {
  stopped_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  heartbeat_.cancel();
  for (const auto& [server, link] : std::exchange(up_, {})) {
    link->closed = true;
    link->socket.close(ignored);
  }
}

const ServerLine* Links::Impl::line(zab::ServerId id) const {
  const auto found = std::ranges::find(options_.servers, id.value, &ServerLine::id);
  return found == options_.servers.end() ? nullptr : &*found;
}

// --- Making connections ---

awaitable<void> Links::Impl::accept_loop() {
  while (!stopped_) {
    auto [error, socket] = co_await acceptor_.async_accept(use_tuple);
    if (error == asio::error::operation_aborted || stopped_) co_return;
    if (error) {  // most likely no file descriptors are left: wait until some are closed
      asio::steady_timer pause(io_, redial_max);
      co_await pause.async_wait(use_tuple);
      continue;
    }
    if (handshakes_ >= handshakes_max) continue;
    asio::co_spawn(
        io_,
        [self = shared_from_this(), accepted = std::move(socket)]() mutable {
          return self->welcome(std::move(accepted));
        },
        asio::detached);
  }
}

awaitable<void> Links::Impl::welcome(tcp::socket socket) {
  const auto self = shared_from_this();
  handshakes_ += 1;
  const auto link = std::make_shared<Link>(std::move(socket));
  const auto hello =
      co_await greet(link, {options_.self, {}, ensemble_, callbacks_.cluster()}, false);
  handshakes_ -= 1;
  if (stopped_) co_return;
  if (!hello) {
    spdlog::warn("refused a connection to the peer port: {}", hello.error().message);
    co_return;
  }
  link->server = hello->from;
  take(link);
  co_await read_loop(link);
}

awaitable<void> Links::Impl::dial_loop(ServerLine peer) {
  const auto self = shared_from_this();
  Milliseconds pause = redial_min;
  while (!stopped_) {
    if (const LinkPtr link = co_await dial(peer)) {
      pause = redial_min;
      take(link);
      co_await read_loop(link);
    }
    if (stopped_) co_return;
    asio::steady_timer timer(io_, pause);
    co_await timer.async_wait(use_tuple);
    pause = std::min(2 * pause, redial_max);
  }
}

// Null if the peer cannot be reached, or is not the server that it should be.
awaitable<Links::Impl::LinkPtr> Links::Impl::dial(const ServerLine& peer) {
  const zab::ServerId id{peer.id};
  const auto link = std::make_shared<Link>(tcp::socket(io_));
  asio::steady_timer deadline(io_, options_.handshake_deadline);
  deadline.async_wait([link](const error_code& error) {
    error_code ignored;
    if (!error) link->socket.close(ignored);
  });

  tcp::resolver resolver(io_);
  auto [not_found, endpoints] =
      co_await resolver.async_resolve(peer.peer.host, std::to_string(peer.peer.port), use_tuple);
  if (not_found || endpoints.empty()) {
    complain(id, "its address " + peer.peer.host + " cannot be resolved: " + not_found.message());
    co_return nullptr;
  }
  for (const auto& endpoint : endpoints) {
    auto [error] = co_await link->socket.async_connect(endpoint.endpoint(), use_tuple);
    if (!error) break;
    if (deadline.expiry() <= asio::steady_timer::clock_type::now()) co_return nullptr;
    link->socket = tcp::socket(io_);
    complain(id, "cannot connect to " + peer.peer.host + ':' + std::to_string(peer.peer.port) +
                     ": " + error.message());
  }
  if (!link->socket.is_open()) co_return nullptr;

  const auto hello =
      co_await greet(link, {options_.self, id, ensemble_, callbacks_.cluster()}, true);
  if (stopped_) co_return nullptr;
  if (!hello) {
    complain(id, hello.error().message);
    co_return nullptr;
  }
  link->server = id;
  co_return link;
}

// Exchanges greetings. The server that dialed sends its own `first`; the other answers only a
// server that it expects.
awaitable<wire::Result<Hello>> Links::Impl::greet(LinkPtr link, Hello mine, bool first) {
  asio::steady_timer deadline(io_, options_.handshake_deadline);
  deadline.async_wait([link](const error_code& error) {
    error_code ignored;
    if (!error) link->socket.close(ignored);
  });
  const auto refuse = [](std::string why) {
    return wire::Error{wire::ErrorCode::connection_loss, std::move(why)};
  };
  const auto say = [&]() -> awaitable<error_code> {
    wire::Bytes content;
    encode(mine, content);
    wire::Bytes frame;
    append_frame(content, frame);
    auto [error, count] = co_await asio::async_write(link->socket, asio::buffer(frame), use_tuple);
    co_return error;
  };
  error_code ignored;
  link->socket.set_option(tcp::no_delay(true), ignored);
  if (first) {
    if (const error_code error = co_await say(); error) co_return refuse(error.message());
  }

  wire::Bytes own;
  encode(mine, own);
  wire::Bytes frame(frame_header_bytes + own.size(), '\0');  // all greetings have the same size
  auto [error, count] = co_await asio::async_read(link->socket, asio::buffer(frame), use_tuple);
  if (error) co_return refuse("no greeting was received: " + error.message());
  link->reader.append(frame);
  const auto content = link->reader.next();
  if (!content) co_return content.error();
  if (!*content) co_return refuse("the greeting has an unknown length");
  const auto hello = decode_hello(**content);
  if (!hello) co_return hello.error();

  const std::string who = "server " + zab::to_string(hello->from);
  if (hello->to != options_.self && !hello->to.none()) {
    co_return refuse(who + " expects at this address server " + zab::to_string(hello->to) +
                     ": compare the server lines of both");
  }
  if (hello->ensemble != ensemble_) {
    co_return refuse(who + " has other server lines in its configuration than this one");
  }
  if (zab::are_foreign(hello->cluster, mine.cluster)) {
    co_return refuse(who + " belongs to cluster " + to_string(hello->cluster) +
                     ", and this server to cluster " + to_string(mine.cluster) +
                     ": one of them has another's data directory");
  }
  if (first ? hello->from != mine.to
            : line(hello->from) == nullptr || hello->from <= options_.self) {
    co_return refuse(who + " is not expected here");
  }
  if (!first) {
    mine.to = hello->from;
    if (const error_code failed = co_await say(); failed) co_return refuse(failed.message());
  }
  co_return *hello;
}

// --- Established connections ---

void Links::Impl::take(const LinkPtr& link) {
  if (const auto former = up_.find(link->server); former != up_.end()) {
    drop(LinkPtr(former->second), "a new connection replaces it");
  }
  link->counters = &counters_[link->server];
  link->counters->established += 1;
  link->number = ++numbered_;
  up_[link->server] = link;
  complaints_.erase(link->server);
  spdlog::info("linked with server {}", link->server.value);
  callbacks_.up(link->server, link->number);
}

void Links::Impl::drop(const LinkPtr& link, const std::string& why) {
  if (std::exchange(link->closed, true)) return;
  error_code ignored;
  link->socket.close(ignored);
  if (stopped_) return;
  up_.erase(link->server);
  spdlog::info("lost the link with server {}: {}", link->server.value, why);
  callbacks_.down(link->server);
}

awaitable<void> Links::Impl::read_loop(LinkPtr link) {
  const auto self = shared_from_this();
  wire::Bytes bytes(read_bytes, '\0');
  while (!link->closed) {
    auto [error, count] = co_await link->socket.async_read_some(asio::buffer(bytes), use_tuple);
    if (error) co_return drop(link, error.message());
    link->silent_heartbeats = 0;
    link->reader.append(std::string_view(bytes).substr(0, count));
    while (!link->closed) {
      const auto content = link->reader.next();
      if (!content) co_return drop(link, content.error().message);
      if (!*content) break;
      link->counters->in.add(frame_header_bytes + (*content)->size());
      auto message = decode_peer_message(**content);
      if (!message) co_return drop(link, message.error().message);
      if (!std::holds_alternative<KeepAlive>(*message)) {
        callbacks_.received(link->server, std::move(*message));
      }
    }
  }
}

awaitable<void> Links::Impl::heartbeat_loop() {
  const auto self = shared_from_this();
  while (!stopped_) {
    heartbeat_.expires_after(options_.heartbeat);
    co_await heartbeat_.async_wait(use_tuple);
    if (stopped_) co_return;
    const auto links = up_;
    for (const auto& [server, link] : links) {
      if (++link->silent_heartbeats > options_.silence_heartbeats) {
        drop(link, "nothing was received for too long");
        continue;
      }
      if (std::exchange(link->quiet, true)) queue(link, KeepAlive{});
    }
  }
}

void Links::Impl::send(zab::ServerId to, std::optional<std::uint64_t> connection,
                       const PeerMessage& message) {
  const auto found = up_.find(to);
  if (found == up_.end() || (connection && found->second->number != *connection)) return;
  const LinkPtr link = found->second;
  link->quiet = false;
  queue(link, message);
}

std::size_t Links::Impl::queued(zab::ServerId to) const {
  const auto found = up_.find(to);
  return found == up_.end() ? 0 : found->second->queued.size() + found->second->leaving.size();
}

LinkCounters Links::Impl::counters(zab::ServerId server) const {
  const auto found = counters_.find(server);
  return found == counters_.end() ? LinkCounters{} : found->second;
}

void Links::Impl::queue(const LinkPtr& link, const PeerMessage& message) {
  wire::Bytes content;
  encode(message, content);
  append_frame(content, link->queued);
  link->counters->out.add(frame_header_bytes + content.size());
  if (link->queued.size() > queued_bytes_max) return drop(link, "the send queue exceeded 1 GiB");
  if (std::exchange(link->flush_posted, true)) return;
  asio::post(io_, [self = shared_from_this(), link] { self->flush(link); });
}

void Links::Impl::flush(const LinkPtr& link) {
  if (link->closed) return;
  if (!link->leaving.empty()) return;  // flushes again when that is written
  link->flush_posted = false;
  if (link->queued.empty()) return;
  std::swap(link->leaving, link->queued);
  asio::async_write(link->socket, asio::buffer(link->leaving),
                    [self = shared_from_this(), link](const error_code& error, std::size_t) {
                      link->leaving.clear();
                      if (error) return self->drop(link, error.message());
                      self->flush(link);
                      if (link->leaving.empty() && !link->closed && !self->stopped_) {
                        self->callbacks_.drained(link->server);
                      }
                    });
}

void Links::Impl::complain(zab::ServerId peer, const std::string& why) {
  if (std::exchange(complaints_[peer], why) == why) return;
  spdlog::warn("no link with server {}: {}", peer.value, why);
}

Links::Links(asio::io_context& io, Options options, Callbacks callbacks)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(callbacks))) {}

Links::~Links() { impl_->stop(); }

wire::Result<void> Links::start() { return impl_->start(); }
void Links::stop() { impl_->stop(); }
std::size_t Links::queued(zab::ServerId to) const { return impl_->queued(to); }
LinkCounters Links::counters(zab::ServerId server) const { return impl_->counters(server); }
void Links::send(zab::ServerId to, const PeerMessage& message) {
  impl_->send(to, std::nullopt, message);
}
void Links::send(zab::ServerId to, std::uint64_t connection, const PeerMessage& message) {
  impl_->send(to, connection, message);
}

}  // namespace server
