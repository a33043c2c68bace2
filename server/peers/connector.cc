#include "server/peers/connector.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/logging/limited_log.h"
#include "server/peers/addresses.h"
#include "server/peers/completion.h"
#include "server/threads/rethrow.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// The least time between two resolutions of the addresses of the servers that dial.
constexpr std::chrono::seconds resolve_pause{10};
constexpr std::chrono::milliseconds redial_min{20};
constexpr std::chrono::milliseconds redial_max{250};
// Only an operator can remove the cause of a refusal.
constexpr std::chrono::milliseconds refused_redial_max{2000};
// A link that ends sooner than this flaps: the next one waits twice as long, up to the maximum.
constexpr std::chrono::milliseconds steady_after{1000};
constexpr std::chrono::milliseconds flapping_redial_max{5000};

void set_no_delay(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
}

}  // namespace

Connector::Connector(asio::io_context& io, Options options, Callbacks callbacks)
    : io_(io),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      names_(io),
      ensemble_(fingerprint(options_.servers)) {}

wire::Result<void> Connector::start() {
  if (const auto listening = listen(); !listening) return listening;
  const auto self = shared_from_this();
  begin_to_expect();
  for (std::size_t acceptor = 0; acceptor < acceptors_.size(); ++acceptor) {
    asio::co_spawn(
        io_, [self, acceptor] { return self->accept_loop(acceptor); }, rethrow);
  }
  for (const LinkedServer& peer : options_.servers) {
    if (peer.id >= options_.self.value) continue;
    asio::co_spawn(
        io_, [self, peer] { return self->dial_loop(peer); }, rethrow);
  }
  return {};
}

void Connector::stop() {
  stopped_ = true;
  error_code ignored;
  for (tcp::acceptor& acceptor : acceptors_) acceptor.close(ignored);
}

const LinkedServer* Connector::line(zab::ServerId id) const {
  const auto found = std::ranges::find(options_.servers, id.value, &LinkedServer::id);
  return found == options_.servers.end() ? nullptr : &*found;
}

Greeting Connector::greeting(zab::ServerId to) const {
  return {options_.self,      to,
          ensemble_,          callbacks_.cluster(),
          known_protocols,    options_.levels,
          callbacks_.level(), options_.program,
          options_.instance};
}

OwnPart Connector::own_part(std::function<bool(zab::ServerId)> is_expected) const {
  return {[this](zab::ServerId to) { return greeting(to); }, std::move(is_expected), nullptr,
          options_.handshake_timeout};
}

// --- Servers with greater ids dial this one ---

wire::Result<void> Connector::listen() {
  auto listening =
      listen_for_servers(io_, options_.servers, *line(options_.self), options_.listen_on_all);
  if (!listening) return listening.error();
  acceptors_ = std::move(listening->acceptors);
  for (const std::string& warning : listening->warnings) spdlog::warn("{}", warning);
  return {};
}

awaitable<void> Connector::accept_loop(std::size_t acceptor) {
  while (!stopped_) {
    auto [error, socket] = co_await acceptors_[acceptor].async_accept(use_tuple);
    if (error == asio::error::operation_aborted || stopped_) co_return;
    if (error) {  // most likely there are no file descriptors left: wait until some are closed
      asio::steady_timer pause(io_, redial_max);
      co_await pause.async_wait(use_tuple);
      continue;
    }
    admit(std::move(socket));
  }
}

void Connector::admit(tcp::socket accepted) {
  error_code gone;
  const asio::ip::address from = plain(accepted.remote_endpoint(gone).address());
  if (gone) return;
  counters_.accepted += 1;
  if (!places_.is_expected(from)) begin_to_expect();
  const auto entry = places_.enter(from);
  if (!entry) {
    counters_.no_place += 1;
    return report_accepted(from, "too many connections are greeting already: this one is closed");
  }
  error_code ignored;
  if (entry->displaced) greeting_.extract(*entry->displaced).mapped()->close(ignored);
  const auto socket = std::make_shared<tcp::socket>(std::move(accepted));
  greeting_[entry->number] = socket;
  asio::co_spawn(
      io_,
      [self = shared_from_this(), number = entry->number, socket, from] {
        return self->accept(number, socket, from);
      },
      rethrow);
}

awaitable<void> Connector::accept(HandshakePlaces::Number number, SocketPtr socket,
                                  asio::ip::address from) {
  const auto self = shared_from_this();
  set_no_delay(*socket);
  OwnPart own =
      own_part([this](zab::ServerId id) { return line(id) != nullptr && id > options_.self; });
  own.refuses = [this, number, from](const Greeting& greeting) {
    auto why = callbacks_.refuses(greeting, from.to_string());
    if (!why) places_.greeted(number);
    return why;
  };
  const HandshakeResult result = co_await greet_second(socket, std::move(own));
  const bool displaced = greeting_.erase(number) == 0;
  places_.leave(number);
  if (stopped_) co_return;
  if (displaced) {
    counters_.displaced += 1;
    co_return report_accepted(from, "it had not greeted when a later connection needed its place");
  }
  if (const auto* failure = std::get_if<NotAgreed>(&result)) {
    counters_.refused += 1;
    co_return report_accepted(from, failure->reason);
  }
  const auto& other = std::get<Agreed>(result);
  reported_servers_.forget(from.to_string());
  reported_strangers_.forget(from.to_string());
  linked_from_[other.server] = from;
  expect();
  co_await callbacks_.connected(std::move(*socket), other);
}

void Connector::report_accepted(const asio::ip::address& from, const std::string& reason) {
  ReportedReasons& reported = places_.is_expected(from) ? reported_servers_ : reported_strangers_;
  const auto repeats = reported.note(from.to_string(), reason, std::chrono::steady_clock::now());
  if (!repeats) return;
  log_limited(LineKind::greeting_refused, spdlog::level::warn,
              "no link over a connection to the peer port from {}: {}{}", from.to_string(), reason,
              repeated(*repeats));
}

// --- From where servers are expected ---

void Connector::begin_to_expect() {
  const auto now = std::chrono::steady_clock::now();
  if (is_resolving_ || now < not_resolved_before_) return;
  is_resolving_ = true;
  not_resolved_before_ = now + resolve_pause;
  asio::co_spawn(
      io_, [self = shared_from_this()] { return self->resolve_expected(); }, rethrow);
}

awaitable<void> Connector::resolve_expected() {
  const auto self = shared_from_this();
  for (const LinkedServer& peer : options_.servers) {
    if (peer.id <= options_.self.value) continue;
    Addresses addresses;
    bool complete = true;
    for (const wire::Address& address : addresses_of(peer)) {
      const Names::Answer answer = co_await names_.resolve(address, options_.handshake_timeout);
      if (stopped_) co_return;
      complete = complete && answer.problem.empty();
      for (const auto& endpoint : answer.endpoints) addresses.push_back(endpoint.address());
    }
    if (complete || !resolved_.contains({peer.id})) resolved_[{peer.id}] = std::move(addresses);
    expect();
  }
  is_resolving_ = false;
}

void Connector::expect() {
  Addresses all;
  for (const auto& [id, addresses] : resolved_) {
    all.insert(all.end(), addresses.begin(), addresses.end());
  }
  for (const auto& [id, address] : linked_from_) {
    const Addresses& addresses = resolved_[id];
    const bool is_known = std::ranges::any_of(
        addresses, [&](const auto& one) { return plain(one) == plain(address); });
    if (!is_known) all.push_back(address);
  }
  places_.expect(all);
}

// --- This server dials servers with lesser ids ---

awaitable<void> Connector::dial_loop(LinkedServer peer) {
  const auto self = shared_from_this();
  const zab::ServerId id{peer.id};
  std::chrono::milliseconds pause = redial_min;
  std::chrono::milliseconds pause_max = redial_max;
  DialForms forms;
  std::size_t first = 0;
  while (!stopped_) {
    const auto socket = std::make_shared<tcp::socket>(io_);
    const HandshakeResult result = co_await dial(socket, peer, first, forms.now());
    if (stopped_) co_return;
    if (const auto* agreed = std::get_if<Agreed>(&result)) {
      forms = {};  // the next program at that address may be another one
      reported_dials_.forget(zab::to_string(id));
      const auto since = std::chrono::steady_clock::now();
      co_await callbacks_.connected(std::move(*socket), *agreed);
      if (stopped_) co_return;
      const bool flaps = std::chrono::steady_clock::now() - since < steady_after;
      if (!flaps) pause = redial_min;
      pause_max = flaps ? flapping_redial_max : redial_max;
    } else {
      const auto& failure = std::get<NotAgreed>(result);
      pause_max = failure.dialed == Dialed::refused ? refused_redial_max : redial_max;
      report_failed_dial(id, forms.now(), failure);
      forms.dialed(failure.dialed, callbacks_.level());
      first += 1;  // another server may be at the address that was tried
    }
    asio::steady_timer timer(io_, pause);
    co_await timer.async_wait(use_tuple);
    pause = std::min(2 * pause, pause_max);
  }
}

awaitable<HandshakeResult> Connector::dial(SocketPtr socket, LinkedServer peer, std::size_t first,
                                           GreetingForm form) {
  auto failure = co_await connect_to(socket, names_, peer, first, options_.handshake_timeout);
  if (failure) co_return *std::move(failure);
  set_no_delay(*socket);
  const zab::ServerId id{peer.id};
  co_return co_await greet_first(socket, id, form,
                                 own_part([id](zab::ServerId from) { return from == id; }));
}

void Connector::report_failed_dial(zab::ServerId peer, GreetingForm form,
                                   const NotAgreed& failure) {
  if (failure.dialed != Dialed::unanswered) return report(peer, failure.reason);
  if (form == GreetingForm::fixed) {
    return report(peer,
                  "it closes the connection without an answer: its own log may say why, or that "
                  "of the program which listens at this address");
  }
  // At level 0 the next greeting has the fixed form, the only one that the old program knows.
  if (old_levels.contains(callbacks_.level())) return;
  report(peer, "it closes the connection without an answer, as an old program does: " +
                   unable_sentence(peer, old_program, old_levels, callbacks_.level()));
}

void Connector::report(zab::ServerId peer, const std::string& reason) {
  const auto repeats =
      reported_dials_.note(zab::to_string(peer), reason, std::chrono::steady_clock::now());
  if (!repeats) return;
  log_limited(LineKind::dial_failed, spdlog::level::warn, "no link with server {}: {}{}",
              peer.value, reason, repeated(*repeats));
}

}  // namespace server
