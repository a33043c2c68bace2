#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/server/client_protocol_harness.h"
#include "tests/support/byte_counts.h"

// What a connection holds is charged to budgets, and ends at a deadline.
namespace client_protocol {
namespace {

using namespace std::chrono_literals;
using client_frames::a_request;
using client_frames::Frame;
using client_frames::frame;
using client_frames::Last;
using client_frames::text;
using server::Budget;
using server::BudgetTable;
using server::ClientProtocol;
using server::Ledger;
using server::Measure;
using server::Offer;
using server::Opcode;
using support::kibibyte;

// The connections of one address.
struct Address {
  explicit Address(BudgetTable table)
      : ledger(Ledger::make(0, table)), accounts(ledger->of("10.0.0.1")) {
    limits.first_frame_bytes_max = limits.frame_bytes_max;
  }

  ClientProtocol& connect() {
    all.push_back(
        std::make_unique<ClientProtocol>(wire::Format::json, limits, counters, accounts, now));
    return *all.back();
  }
  // Sends as much of `bytes` as the server reads, in reads of 16 KiB.
  std::size_t send(ClientProtocol& to, std::string bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size() && to.wants_bytes()) {
      const std::size_t size = to.readable_bytes(std::min(bytes.size() - sent, 16 * kibibyte));
      if (size == 0) to.hold_back(now);
      to.receive(std::span(bytes).subspan(sent, size));
      while (to.next(now)) ++events;
      sent += size;
    }
    return sent;
  }
  [[nodiscard]] std::size_t used(Budget budget) const { return ledger->server(budget).used(); }

  std::shared_ptr<Ledger> ledger;
  std::shared_ptr<server::AddressAccounts> accounts;
  server::ClientLimits limits;
  server::ConnectionCounters counters;
  ClientProtocol::Time now{1h};
  std::size_t events = 0;
  std::vector<std::unique_ptr<ClientProtocol>> all;
};

// `bytes` are each budget of the address.
BudgetTable table(std::size_t bytes) {
  const server::BudgetLimits limits{server::unlimited, bytes, 100 * bytes};
  return {limits, limits, limits};
}

std::string begun_message(std::size_t bytes) {
  return text(std::string(bytes + 60 * kibibyte, ' ')).substr(0, bytes);
}

TEST_CASE("unfinished messages of many connections stay within the budget of their address") {
  Address address(table(100 * kibibyte));
  std::size_t taken = 0;
  for (int i = 0; i < 50; ++i) {
    taken += address.send(address.connect(), begun_message(60 * kibibyte));
  }
  CHECK(taken > 50 * kibibyte);
  CHECK(taken < 160 * kibibyte);  // less than a KiB of each is not charged
  CHECK(address.used(Budget::unfinished) <= 110 * kibibyte);
  CHECK(address.ledger->counted(Budget::unfinished, Measure::not_read) >= 49);

  // A bystander is served.
  ClientProtocol& bystander = address.connect();
  CHECK(address.send(bystander, text(a_request)) == text(a_request).size());
  CHECK(address.events == 1);
  CHECK(address.used(Budget::unfinished) <= 110 * kibibyte);

  address.all.clear();
  CHECK(address.used(Budget::unfinished) == 0);
}

TEST_CASE("large messages that have no room together are received one after another") {
  Address address(table(1000 * kibibyte));
  address.limits.first_frame_timeout = 1h;
  const std::string message = text(std::string(100 * kibibyte, ' '));
  struct Sender {
    ClientProtocol* to;
    std::size_t sent = 0;
  };
  std::vector<Sender> senders;
  for (int i = 0; i < 40; ++i) senders.push_back({&address.connect()});
  // Each sends a little in turn, as clients that began together do.
  for (int round = 0; round < 2000 && address.events < senders.size(); ++round) {
    for (auto& [to, sent] : senders) {
      if (!to->wants_bytes()) to->time_is(address.now);
      sent += address.send(*to, message.substr(sent, 8 * kibibyte));
    }
    address.now += 50ms;
  }
  CHECK(address.events == senders.size());
  CHECK(address.used(Budget::unfinished) == 0);
}

TEST_CASE(
    "a connection that budgets stop from reading tries again, and continues when there is room") {
  Address address(table(100 * kibibyte));
  ClientProtocol& large = address.connect();
  CHECK(address.send(large, begun_message(90 * kibibyte)) >= 40 * kibibyte);
  ClientProtocol& second = address.connect();
  const std::string request = text(std::string(60 * kibibyte, ' '));
  const std::size_t sent = address.send(second, request);
  CHECK(sent < request.size());
  CHECK_FALSE(second.wants_bytes());
  REQUIRE(second.deadline() < address.now + 1s);

  address.now = second.deadline();
  second.time_is(address.now);
  CHECK(second.wants_bytes());
  CHECK(address.send(second, request.substr(sent)) < request.size() - sent);

  large.lost();
  (void)large.next(address.now);
  address.now = second.deadline();
  second.time_is(address.now);
  CHECK(second.wants_bytes());
  CHECK(address.send(second, "more") == 4);
}

TEST_CASE("a large message is not read while the address has too many outstanding requests") {
  BudgetTable budgets = table(server::unlimited / 200);
  budgets[1].address = 100 * kibibyte;
  Address address(budgets);
  const server::Charge under_way(account_of(address.accounts, Budget::requests), 90 * kibibyte);
  ClientProtocol& client = address.connect();
  CHECK(address.send(client, text(std::string(40 * kibibyte, ' '))) == 16 * kibibyte);
  CHECK_FALSE(client.wants_bytes());
  CHECK(address.ledger->counted(Budget::requests, Measure::not_read) == 1);
  CHECK(address.send(address.connect(), text(a_request)) == text(a_request).size());
}

TEST_CASE("a message that does not end in time closes the connection") {
  struct Row {
    const char* what;
    std::string begin;
    std::string each_second;
    int seconds;  // until the end
    const char* reason;
  };
  const std::string part = frame(Opcode::continuation, std::string(20 * kibibyte, ' '), Last::no);
  for (const Row& row : {
           Row{"nothing comes", begun_message(100), "", 30, "30 s"},
           Row{"a long message stops", begun_message(5000), "", 5, "16 KiB"},
           Row{"a long message drips", begun_message(5000), std::string(100, ' '), 5, "16 KiB"},
           Row{"pings between the parts do not count", frame(Opcode::text, "[", Last::no),
               frame(Opcode::ping, "x"), 30, "30 s"},
           Row{"a fast message has no end", frame(Opcode::text, "[", Last::no), part, 30, "30 s"},
       }) {
    CAPTURE(row.what);
    Address address(table(server::unlimited / 200));
    ClientProtocol& client = address.connect();
    (void)address.send(client, text(a_request));
    CHECK(client.deadline() == ClientProtocol::never);
    (void)address.send(client, row.begin);
    std::string written;
    int seconds = 0;
    while (written.empty() && seconds < 100) {
      address.now += 1s;
      ++seconds;
      client.time_is(address.now);
      if (seconds < row.seconds) (void)address.send(client, row.each_second);
      std::string out;
      client.compose(out, address.now);
      client.written(out.size(), address.now);
      for (const Frame& sent : Connection::read(out)) {
        if (sent.opcode != Opcode::close) continue;
        CHECK(sent.status == 1008);
        written = sent.payload;
      }
    }
    CHECK(seconds == row.seconds);
    CHECK(written.find(row.reason) != std::string::npos);
    CHECK(address.used(Budget::unfinished) == 0);
    CHECK(address.ledger->counted(Budget::unfinished, Measure::closed) == 1);
    CHECK(client.end() == ClientProtocol::StreamEnd::shut_down);
  }
}

TEST_CASE("messages that arrive in pieces, one after the other, have no common deadline") {
  Address address(table(server::unlimited / 200));
  ClientProtocol& client = address.connect();
  const std::string request = text(a_request);
  (void)address.send(client, request.substr(0, 9));
  for (int i = 0; i < 100; ++i) {
    address.now += 1s;
    client.time_is(address.now);
    (void)address.send(client, request.substr(9) + request.substr(0, 9));
  }
  CHECK(address.events == 100);
  CHECK_FALSE(client.has_output());
}

TEST_CASE("a message of a paused connection has more time") {
  Address address(table(server::unlimited / 200));
  ClientProtocol& client = address.connect();
  (void)address.send(client, text(a_request) + begun_message(5000));
  client.pause();
  for (int i = 0; i < 50; ++i) {
    address.now += 1s;
    client.time_is(address.now);
  }
  CHECK_FALSE(client.has_output());
}

TEST_CASE(
    "a client that receives some of its messages stays connected, one that receives none does "
    "not") {
  Connection connection;
  (void)connection.receive(text(a_request));
  connection.send(std::string(50'000, 'x'));
  (void)connection.compose();
  for (int i = 0; i < 10; ++i) {
    connection.wait(59s);
    connection.protocol.written(1000, connection.now);
    CHECK(connection.counters.too_slow == 0);
  }
  connection.wait(59s);
  CHECK(connection.counters.too_slow == 0);
  connection.wait(1s);
  CHECK(connection.counters.too_slow == 1);
  CHECK(connection.ledger->counted(Budget::waiting, Measure::closed) == 1);
  connection.wait(connection.limits.close_timeout);  // the stream takes no close frame either
  CHECK(connection.protocol.end() == ClientProtocol::StreamEnd::close);
}

TEST_CASE("a queued message is charged until the stream has taken it") {
  Connection connection;
  const auto used = [&] { return connection.ledger->server(Budget::waiting).used(); };
  connection.send(std::string(100'000, 'x'));
  CHECK(used() >= 99'000);
  const std::string bytes = connection.compose();
  CHECK(used() >= 99'000);
  connection.protocol.written(40'000, connection.now);
  connection.protocol.written(40'000, connection.now);
  CHECK(used() >= 59'000);  // the carrier keeps what the first write left
  connection.protocol.written(bytes.size() - 80'000, connection.now);
  CHECK(used() == 0);
  connection.send(std::string(100'000, 'x'));
  connection.protocol.close_as_too_slow(connection.now);
  CHECK(used() == 0);
}

TEST_CASE("a reply is queued only if the budgets have room, and a small one always") {
  Address address(table(100 * kibibyte));
  const std::string reply(20 * kibibyte, 'x');
  std::vector<ClientProtocol*> clients;
  std::size_t queued = 0;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(&address.connect());
    if (clients.back()->queue().offer(message(reply)) == Offer::queued) ++queued;
  }
  CHECK(queued >= 2);
  CHECK(queued <= 5);
  CHECK(address.used(Budget::waiting) <= 100 * kibibyte);
  CHECK(clients.back()->queue().bytes() == 0);
  CHECK(clients.back()->queue().offer(message("small")) == Offer::queued);
  CHECK(clients.back()->queue().send(message("small")));

  std::string out;
  clients.back()->compose(out, address.now);
  const Frames frames = Connection::read(out);
  CHECK(frames.size() == 2);  // of the reply that had no room nothing is left
}

TEST_CASE("events for which there is room are queued within the budget, and close no connection") {
  Address address(table(100 * kibibyte));
  ClientProtocol& one = address.connect();
  REQUIRE(address.send(one, text(a_request)) > 0);
  const std::string event(3 * kibibyte, 'x');
  int events = 0;
  while (one.queue().has_room(event.size() + 100)) {
    REQUIRE(one.queue().send(message(event)));
    events += 1;
  }
  CHECK(events > 3);
  CHECK(events < 40);
  CHECK(address.used(Budget::waiting) <= 100 * kibibyte);
}

TEST_CASE("a single reply above the limit of a client's send queue is too large") {
  server::ClientLimits limits;
  limits.queued_bytes_max = 100'000;
  Connection connection(wire::Format::json, limits);
  CHECK(connection.protocol.queue().offer(message(std::string(200'000, 'x'))) == Offer::too_large);
  CHECK(connection.protocol.queue().offer(message(std::string(60'000, 'x'))) == Offer::queued);
  CHECK(connection.protocol.queue().offer(message(std::string(60'000, 'x'))) == Offer::no_room);
  CHECK(connection.sent().size() == 1);
}

TEST_CASE("while the budgets are used up, a client with no more than its share is not closed") {
  Address address(table(100 * kibibyte));
  const server::Charge others(account_of(address.accounts, Budget::waiting), 100 * kibibyte);
  ClientProtocol& client = address.connect();
  CHECK(client.queue().send(message(std::string(5000, 'x'))));
  CHECK(client.queue().send(message(std::string(20'000, 'x'))));
  CHECK_FALSE(client.queue().send(message(std::string(30'000, 'x'))));
}

}  // namespace
}  // namespace client_protocol
