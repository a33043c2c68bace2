#include "server/peers/links.h"

#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/logging/limited_log.h"
#include "server/peers/agreement.h"
#include "server/peers/completion.h"
#include "server/peers/connector.h"
#include "server/peers/link.h"
#include "server/peers/link_news.h"
#include "server/threads/rethrow.h"
#include "wire/zxid.h"

namespace server {

namespace asio = boost::asio;

namespace {

void log_loss(zab::ServerId server, const std::string& reason) {
  log_limited(LineKind::link_changed, spdlog::level::info, "lost the link with server {}: {}",
              server.value, reason);
}

}  // namespace

// Shared, because coroutines of closed links may outlive Links.
class Links::Impl : public std::enable_shared_from_this<Links::Impl> {
 public:
  Impl(asio::io_context& io, Options options, Callbacks callbacks)
      : io_(io),
        options_(std::move(options)),
        callbacks_(std::move(callbacks)),
        connector_(std::make_shared<Connector>(
            io,
            Connector::Options{options_.self, options_.servers, options_.handshake_timeout,
                               options_.levels, options_.program, options_.instance,
                               options_.listen_on_all},
            Connector::Callbacks{
                [this](auto socket, auto other) { return run_link(std::move(socket), other); },
                [this](const auto& from, const auto& address) { return refuses(from, address); },
                callbacks_.cluster, callbacks_.level})),
        heartbeat_(io) {}

  wire::Result<void> start();
  void stop();
  void send(zab::ServerId to, std::optional<std::uint64_t> connection, const PeerMessage& message);
  [[nodiscard]] std::size_t queued(zab::ServerId to) const;
  [[nodiscard]] std::optional<PeerProgram> program_of(zab::ServerId server) const;
  void level_changed();
  [[nodiscard]] LinkCounters counters(zab::ServerId server) const;
  [[nodiscard]] PeerPortCounters port_counters() const { return connector_->counters(); }

 private:
  using LinkPtr = std::shared_ptr<Link>;

  // Returns once the link is closed.
  asio::awaitable<void> run_link(asio::ip::tcp::socket socket, Agreed other);
  asio::awaitable<void> heartbeat_loop();
  [[nodiscard]] LinkPtr add(asio::ip::tcp::socket socket, const Agreed& other);
  [[nodiscard]] std::optional<std::string> refuses(const Greeting& from,
                                                   const std::string& address) const;
  [[nodiscard]] Link::Callbacks callbacks_for(const Agreed& other);
  void drop(zab::ServerId server, const std::string& reason);

  asio::io_context& io_;
  Options options_;
  Callbacks callbacks_;
  std::shared_ptr<Connector> connector_;
  asio::steady_timer heartbeat_;
  std::map<zab::ServerId, LinkPtr> up_;
  std::map<zab::ServerId, LinkCounters> counters_;
  LinkNews news_;
  std::uint64_t last_number_ = 0;
  bool stopped_ = false;
};

wire::Result<void> Links::Impl::start() {
  if (const auto started = connector_->start(); !started) return started;
  asio::co_spawn(
      io_, [self = shared_from_this()] { return self->heartbeat_loop(); }, rethrow);
  return {};
}

void Links::Impl::stop() {
  stopped_ = true;
  connector_->stop();
  heartbeat_.cancel();
  for (const auto& [server, link] : std::exchange(up_, {})) link->close();
}

asio::awaitable<void> Links::Impl::run_link(asio::ip::tcp::socket socket, Agreed other) {
  const auto self = shared_from_this();
  const LinkPtr link = add(std::move(socket), other);
  level_changed();  // it may have changed after the greetings
  co_await link->receive();
}

Links::Impl::LinkPtr Links::Impl::add(asio::ip::tcp::socket socket, const Agreed& other) {
  const zab::ServerId server = other.server;
  if (up_.contains(server)) drop(server, "a new connection replaces it");
  LinkCounters& counters = counters_[server];
  counters.established += 1;
  const auto link = std::make_shared<Link>(
      io_, std::move(socket),
      Link::Options{++last_number_, other.program, other.instance, options_.queued_bytes_max},
      counters, callbacks_for(other));
  up_[server] = link;
  const std::string program =
      fmt::format("{}, {}, protocol {}", other.program.program,
                  wire::to_string(other.program.levels), other.program.protocol);
  if (news_.linked(server, program, std::chrono::steady_clock::now())) {
    log_limited(LineKind::link_changed, spdlog::level::info, "linked with server {}: {}",
                server.value, program);
  }
  callbacks_.up(server, link->number());
  return link;
}

// Two servers with one id would take the link from each other for ever, with an election each time.
// The process that is linked may replace its link: it may know before this server that the link is
// lost. Another process is the same server after a restart, or a second one with the same id.
std::optional<std::string> Links::Impl::refuses(const Greeting& from,
                                                const std::string& address) const {
  const auto found = up_.find(from.from);
  if (found == up_.end() || !found->second->is_alive()) return std::nullopt;
  Link& link = *found->second;
  if (from.instance != 0 && from.instance == link.instance()) return std::nullopt;
  const std::string name = "server " + zab::to_string(from.from);
  const bool are_told_apart = from.instance != 0 && link.instance() != 0;
  if (!link.is_contested() && are_told_apart) {
    return name + " is linked from " + link.remote() + ", and another process dials as " + name +
           " from " + address + ": it is linked once the other one is silent";
  }
  const auto instance = [&](std::uint64_t value) {
    return are_told_apart ? " (process " + wire::to_hex(value) + ")" : std::string();
  };
  return "two servers say that they are " + name + ": one is linked from " + link.remote() +
         instance(link.instance()) + ", the other one dials from " + address +
         instance(from.instance) + ". Give each server an id of its own (myid)";
}

Link::Callbacks Links::Impl::callbacks_for(const Agreed& other) {
  const zab::ServerId server = other.server;
  return {
      .received = [this, server](PeerMessage&& m) { callbacks_.received(server, std::move(m)); },
      .drained = [this, server] { callbacks_.drained(server); },
      .failed = [this, server](const std::string& reason) { drop(server, reason); },
      .unreadable =
          [this, server, program = other.program.program](const std::string& reason) {
            drop(server, reason + "; it runs " + program + ", and this server " + options_.program);
          },
      .unsendable =
          [this, server](const std::string& reason) {
            log_limited(LineKind::unsendable, spdlog::level::err,
                        "a message to server {} was not sent: {}", server.value, reason);
            drop(server, "a message to it is too large");
          },
  };
}

void Links::Impl::drop(zab::ServerId server, const std::string& reason) {
  const auto found = up_.find(server);
  found->second->close();
  up_.erase(found);
  if (const auto end = news_.lost(server, reason, std::chrono::steady_clock::now())) {
    log_loss(server, reason + *end);
  }
  callbacks_.down(server);
}

asio::awaitable<void> Links::Impl::heartbeat_loop() {
  const auto self = shared_from_this();
  while (!stopped_) {
    heartbeat_.expires_after(options_.heartbeat);
    co_await heartbeat_.async_wait(use_tuple);
    if (stopped_) co_return;
    for (const auto& [server, reason] : news_.overdue(std::chrono::steady_clock::now())) {
      log_loss(server, reason);
    }
    const auto links = up_;  // a link may be dropped on the way
    for (const auto& [server, link] : links) {
      if (!link->heartbeat(options_.silence_heartbeats)) {
        drop(server, "nothing was received for " + std::to_string(options_.silence_heartbeats) +
                         " heartbeats");
      }
    }
  }
}

void Links::Impl::send(zab::ServerId to, std::optional<std::uint64_t> connection,
                       const PeerMessage& message) {
  const auto found = up_.find(to);
  if (found == up_.end() || (connection && found->second->number() != *connection)) return;
  const LinkPtr link = found->second;  // sending may drop it
  if (link->program().protocol >= least_protocol(message)) link->send(message);
}

std::size_t Links::Impl::queued(zab::ServerId to) const {
  const auto found = up_.find(to);
  return found == up_.end() ? 0 : found->second->queued();
}

std::optional<PeerProgram> Links::Impl::program_of(zab::ServerId server) const {
  const auto found = up_.find(server);
  if (found == up_.end()) return std::nullopt;
  return found->second->program();
}

void Links::Impl::level_changed() {
  const wire::Level level = callbacks_.level();
  const auto links = up_;
  for (const auto& [server, link] : links) {
    const auto& [levels, protocol, program] = link->program();
    if (!levels.contains(level)) drop(server, unable_sentence(server, program, levels, level));
  }
}

LinkCounters Links::Impl::counters(zab::ServerId server) const {
  const auto found = counters_.find(server);
  return found == counters_.end() ? LinkCounters{} : found->second;
}

Links::Links(asio::io_context& io, Options options, Callbacks callbacks)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(callbacks))) {}

Links::~Links() { impl_->stop(); }

wire::Result<void> Links::start() { return impl_->start(); }
void Links::stop() { impl_->stop(); }
std::size_t Links::queued(zab::ServerId to) const { return impl_->queued(to); }
std::optional<PeerProgram> Links::program_of(zab::ServerId server) const {
  return impl_->program_of(server);
}
void Links::level_changed() { impl_->level_changed(); }
LinkCounters Links::counters(zab::ServerId server) const { return impl_->counters(server); }
PeerPortCounters Links::port_counters() const { return impl_->port_counters(); }
void Links::send(zab::ServerId to, const PeerMessage& message) {
  impl_->send(to, std::nullopt, message);
}
void Links::send(zab::ServerId to, std::uint64_t connection, const PeerMessage& message) {
  impl_->send(to, connection, message);
}

}  // namespace server
