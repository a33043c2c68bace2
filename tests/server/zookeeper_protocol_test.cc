#include "server/clients/zookeeper_protocol.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/budgets/budgets.h"
#include "wire/jute/bytes.h"
#include "wire/jute/requests.h"
#include "wire/replies.h"

// A connection of a client that speaks ZooKeeper's protocol, without a socket.
namespace server::zookeeper_protocol_test {
namespace {

using namespace std::chrono_literals;
using wire::jute::Opcode;
using wire::jute::Reader;
using wire::jute::Writer;
using Lines = std::vector<std::string>;

constexpr wire::Zxid zxid{{1}, 7};

std::string framed(const std::function<void(Writer&)>& write) {
  std::string body;
  Writer out(body);
  write(out);
  std::string frame;
  Writer(frame).text(body);
  return frame;
}

std::string connect_frame() {
  return framed([](Writer& out) {
    out.int32(0);
    out.int64(0);
    out.int32(10'000);
    out.int64(0);
    out.text(std::string(16, '\0'));
    out.boolean(false);
  });
}

std::string request_frame(
    std::int32_t xid, Opcode type, const std::function<void(Writer&)>& write = [](Writer&) {}) {
  return framed([&](Writer& out) {
    out.int32(xid);
    out.int32(static_cast<std::int32_t>(type));
    write(out);
  });
}

std::string read_frame(std::int32_t xid, Opcode type, std::string_view path, bool watch) {
  return request_frame(xid, type, [&](Writer& out) {
    out.text(path);
    out.boolean(watch);
  });
}

struct Connection {
  // The kinds of the requests that the pipeline gets.
  Lines receive(std::string bytes, std::size_t piece = std::string::npos) {
    Lines all;
    for (std::size_t at = 0; at < bytes.size() && protocol.wants_bytes();) {
      std::string some = bytes.substr(at, piece);
      at += some.size();
      protocol.receive(some);
      const Lines lines = next();
      std::ranges::fill(some, '!');  // the buffer belongs to other connections now
      all.insert(all.end(), lines.begin(), lines.end());
    }
    return all;
  }

  Lines next() {
    Lines lines;
    while (auto event = protocol.next(now)) {
      if (std::holds_alternative<Alive>(*event)) lines.emplace_back("alive");
      if (std::holds_alternative<Closed>(*event)) lines.emplace_back("closed");
      auto* frame = std::get_if<wire::ParsedFrame>(&*event);
      if (frame == nullptr) continue;
      for (auto& request : frame->requests) {
        REQUIRE(request.has_value());
        lines.emplace_back(operation_name(request->request.index()));
        requests.push_back(std::move(*request));
      }
    }
    return lines;
  }

  // The frames that leave: "xid 1 ok", "xid 1 -101", "event 3 /a", "session", "none".
  Lines sent() {
    std::string bytes;
    while (protocol.has_output()) {
      std::string some;
      protocol.compose(some, now);
      protocol.written(some.size(), now);
      bytes += some;
    }
    Lines lines;
    Reader in(bytes);
    while (in.remaining() > 0) {
      Reader frame(in.text().value());
      const bool is_connect = !std::exchange(greeted, true);
      const std::int32_t xid = frame.int32();
      if (is_connect) {
        lines.emplace_back(frame.int32() > 0 ? "session" : "no session");
        continue;
      }
      frame.int64();
      const std::int32_t error = frame.int32();
      if (xid == -1) {
        const std::int32_t type = frame.int32();
        frame.int32();
        lines.push_back("event " + std::to_string(type) + ' ' + std::string(frame.text().value()));
      } else {
        lines.push_back("xid " + std::to_string(xid) + ' ' +
                        (error == 0 ? std::string("ok") : std::to_string(error)));
      }
    }
    return lines;
  }

  void open() {
    CHECK(receive(connect_frame()) == Lines{"connect"});
    wire::ConnectedReply connected;
    connected.session = {5};
    connected.password = std::string(32, '0');
    connected.timeout_ms = 10'000;
    send(connected);
    CHECK(sent() == Lines{"session"});
    requests.clear();
  }
  void send(const wire::ServerMessage& message) { CHECK(protocol.queue().send(message)); }
  void reply(wire::ReplyBody body) { send(wire::Reply{{}, zxid, {}, std::move(body)}); }
  void refuse(wire::ErrorCode code) { send(wire::Reply{{}, zxid, {}, wire::Error{code, ""}}); }
  // Sends an event of the watch that the request at `index` has set.
  void fire(std::size_t index, wire::EventKind kind, const std::string& path,
            std::uint64_t counter = 9) {
    send(wire::WatchEvent{requests.at(index).id, kind, path, {{1}, counter}, {}, {}, {}});
  }
  void wait(std::chrono::milliseconds later) {
    now += later;
    protocol.time_is(now);
  }

  ZooKeeperProtocol::Time now{1h};
  ClientLimits limits;
  ConnectionCounters counters;
  std::shared_ptr<Ledger> ledger =
      Ledger::make(usual_memory_limit, budget_table(usual_memory_limit));
  ZooKeeperProtocol protocol{limits, counters, ledger->of("127.0.0.1"), now};
  std::vector<wire::ClientRequest> requests;
  bool greeted = false;
};

wire::GetReply some_data() { return {"data", {}}; }

TEST_CASE("frames may arrive in any pieces, and requests are answered in their order") {
  const std::string bytes = connect_frame() + read_frame(1, Opcode::get_data, "/a", false) +
                            request_frame(-2, Opcode::ping) +
                            read_frame(2, Opcode::exists, "/b", false);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    CAPTURE(piece);
    Connection connection;
    CHECK(connection.receive(bytes, piece) == Lines{"connect", "get", "ping", "exists"});
    connection.greeted = true;
    connection.reply(some_data());
    connection.reply(wire::PongReply{});
    connection.reply(wire::ExistsReply{});
    CHECK(connection.sent() == Lines{"xid 1 ok", "xid -2 ok", "xid 2 -101"});
  }
}

TEST_CASE("a reply that needs no request of ours waits for the replies before it") {
  Connection connection;
  connection.open();
  CHECK(connection.receive(read_frame(1, Opcode::get_data, "/a", false) +
                           request_frame(2, Opcode::reconfig)) == Lines{"get", "alive"});
  CHECK(connection.sent().empty());
  connection.reply(some_data());
  CHECK(connection.sent() == Lines{"xid 1 ok", "xid 2 -123"});
}

TEST_CASE("an unknown request is answered, and then the connection ends") {
  Connection connection;
  connection.open();
  CHECK(connection.receive(request_frame(1, Opcode{500}) + request_frame(2, Opcode::ping)).empty());
  CHECK(connection.sent() == Lines{"xid 1 -6"});
  CHECK(connection.protocol.end() == StreamProtocol::StreamEnd::shut_down);
}

TEST_CASE("no request after an unknown one is carried out, even while others are not answered") {
  Connection connection;
  connection.open();
  CHECK(connection.receive(read_frame(1, Opcode::get_data, "/a", false) +
                           request_frame(2, Opcode{500}) +
                           request_frame(3, Opcode::close_session)) == Lines{"get", "alive"});
  connection.reply(some_data());
  CHECK(connection.next().empty());
  CHECK(connection.sent() == Lines{"xid 1 ok", "xid 2 -6"});
  CHECK(connection.protocol.end() == StreamProtocol::StreamEnd::shut_down);
}

TEST_CASE("a frame with an invalid length ends the connection without a reply") {
  for (const std::string& bytes : {std::string("\xff\xff\xff\xff", 4), std::string("\0\x10\0\0", 4),
                                   std::string("GET / HT"), std::string("\0\0\0\4abcd", 8)}) {
    Connection connection;
    connection.open();
    CHECK(connection.receive(bytes).empty());
    CHECK(connection.sent().empty());
    CHECK(connection.protocol.end() == StreamProtocol::StreamEnd::shut_down);
  }
  Connection malformed;
  CHECK(malformed.receive(framed([](Writer& out) { out.int32(0); })).empty());
  CHECK(malformed.protocol.end() == StreamProtocol::StreamEnd::shut_down);
}

TEST_CASE("an ended session is answered with zeros, and other refusals have no reply") {
  const std::pair<wire::ErrorCode, Lines> rows[] = {
      {wire::ErrorCode::session_expired, {"no session"}},
      {wire::ErrorCode::auth_failed, {"no session"}},
      {wire::ErrorCode::server_behind, {}},
      {wire::ErrorCode::not_ready, {}},
  };
  for (const auto& [code, lines] : rows) {
    Connection connection;
    CHECK(connection.receive(connect_frame()) == Lines{"connect"});
    connection.send(wire::ConnectRefused{{code, ""}});
    connection.protocol.close(CloseCode::normal, "", StreamProtocol::Drain::yes, connection.now);
    CHECK(connection.sent() == lines);
    CHECK(connection.protocol.end() == StreamProtocol::StreamEnd::shut_down);
  }
}

TEST_CASE("an identity that is too large is refused as ZooKeeper refuses one") {
  Connection connection;
  connection.open();
  const auto token = [](Writer& out) {
    out.int32(0);
    out.text("digest");
    out.text(std::string(5000, 'a'));
  };
  CHECK(connection.receive(request_frame(-4, Opcode::auth, token)) == Lines{"auth"});
  connection.refuse(wire::ErrorCode::too_large);
  CHECK(connection.sent() == Lines{"xid -4 -115"});
}

TEST_CASE("an event is sent once, even if several reads have set its watch") {
  Connection connection;
  connection.open();
  CHECK(connection.receive(read_frame(1, Opcode::get_data, "/a", true) +
                           read_frame(2, Opcode::get_data, "/a", true) +
                           read_frame(3, Opcode::get_children, "/a", true)) ==
        Lines{"get", "get", "children"});
  connection.reply(some_data());
  connection.reply(some_data());
  connection.reply(wire::ChildrenReply{});
  // The second watch is one too many, and is removed.
  CHECK(connection.next() == Lines{"unwatch"});
  connection.reply(wire::EmptyReply{});
  CHECK(connection.sent() == Lines{"xid 1 ok", "xid 2 ok", "xid 3 ok"});
  connection.fire(0, wire::EventKind::deleted, "/a");
  connection.fire(2, wire::EventKind::deleted, "/a");
  connection.fire(1, wire::EventKind::deleted, "/a");
  CHECK(connection.sent() == Lines{"event 2 /a"});
}

TEST_CASE("a read that fails sets no watch, but exists of a missing node does") {
  Connection connection;
  connection.open();
  CHECK(connection.receive(read_frame(1, Opcode::get_data, "/a", true) +
                           read_frame(2, Opcode::exists, "/a", true)) == Lines{"get", "exists"});
  connection.refuse(wire::ErrorCode::no_node);
  connection.reply(wire::ExistsReply{});
  const auto change = [](Writer& out) {
    out.text("/a");
    out.int32(2);
  };
  CHECK(connection.receive(request_frame(3, Opcode::check_watches, change)) == Lines{"alive"});
  connection.fire(1, wire::EventKind::created, "/a");
  CHECK(connection.receive(request_frame(4, Opcode::check_watches, change)) == Lines{"alive"});
  CHECK(connection.sent() ==
        Lines{"xid 1 -101", "xid 2 -101", "xid 3 ok", "event 1 /a", "xid 4 -121"});
}

TEST_CASE("setWatches sends missed events before its reply, and sets the other watches") {
  Connection connection;
  connection.open();
  const auto set = [](Writer& out) {
    const auto list = [&](const Lines& paths) {
      out.int32(static_cast<std::int32_t>(paths.size()));
      for (const std::string& path : paths) out.text(path);
    };
    out.int64(static_cast<std::int64_t>(wire::Zxid{{1}, 5}.bits()));
    list({"/gone", "/changed", "/same"});
    list({"/there"});
    list({"/children"});
  };
  CHECK(connection.receive(request_frame(-8, Opcode::set_watches, set)) == Lines(5, "watch"));
  const auto armed = [&](std::optional<wire::Stat> stat) {
    connection.reply(wire::WatchReply{{}, stat, {}});
  };
  wire::Stat old;
  old.mzxid = old.pzxid = {{1}, 5};
  wire::Stat changed = old;
  changed.mzxid = changed.pzxid = {{1}, 6};
  armed(std::nullopt);
  armed(changed);
  armed(old);
  armed(old);
  armed(changed);
  CHECK(connection.sent() == Lines{"event 2 /gone", "event 3 /changed", "event 1 /there",
                                   "event 4 /children", "xid -8 ok"});
  CHECK(connection.next() == Lines(4, "unwatch"));
  connection.fire(2, wire::EventKind::changed, "/same");
  connection.fire(1, wire::EventKind::changed, "/changed");  // its watch is forgotten
  CHECK(connection.sent() == Lines{"event 3 /same"});
}

TEST_CASE("a setWatches ends the connection if there is no room for one of its watches") {
  const auto set = [](Writer& out) {
    out.int64(0);
    out.int32(0);
    out.int32(2);
    out.text("/a");
    out.text("/b");
    out.int32(0);
  };
  using wire::ErrorCode;
  for (const ErrorCode code : {ErrorCode::too_many_watches, ErrorCode::overloaded}) {
    Connection full;
    full.open();
    CHECK(full.receive(request_frame(-8, Opcode::set_watches, set)) == Lines{"watch", "watch"});
    full.reply(wire::WatchReply{{}, {}, {}});
    full.refuse(code);
    CHECK(full.next().empty());
    CHECK(full.sent().empty());
    CHECK(full.protocol.end() == StreamProtocol::StreamEnd::shut_down);
  }
  Connection hidden;
  hidden.open();
  CHECK(hidden.receive(request_frame(-8, Opcode::set_watches, set)) == Lines{"watch", "watch"});
  hidden.refuse(ErrorCode::no_auth);
  hidden.reply(wire::WatchReply{{}, {}, {}});
  CHECK(hidden.sent() == Lines{"xid -8 ok"});
}

TEST_CASE("a long setWatches becomes requests in parts, and waits while its connection is paused") {
  Connection connection;
  connection.open();
  connection.protocol.pause();
  const auto set = [](Writer& out) {
    out.int64(0);
    out.int32(1000);
    for (int i = 0; i < 1000; ++i) out.text("/" + std::to_string(i));
    out.int32(0);
    out.int32(0);
  };
  connection.protocol.resume();
  std::string frame = request_frame(1, Opcode::set_watches, set);
  connection.protocol.receive(frame);
  const auto first = connection.protocol.next(connection.now);
  REQUIRE(first.has_value());
  CHECK(std::get<wire::ParsedFrame>(*first).requests.size() == 256);
  connection.protocol.pause();
  CHECK(!connection.protocol.next(connection.now).has_value());
  connection.protocol.resume();
  CHECK(connection.protocol.has_events());
  CHECK(connection.next() == Lines(744, "watch"));
}

TEST_CASE("a resync ends the connection: a client that connects again learns what it missed") {
  Connection connection;
  connection.open();
  const auto add = [](Writer& out) {
    out.text("/a");
    out.int32(1);
  };
  CHECK(connection.receive(request_frame(1, Opcode::add_watch, add)) == Lines{"watch"});
  connection.reply(wire::WatchReply{{}, {}, {}});
  CHECK(connection.sent() == Lines{"xid 1 ok"});
  connection.fire(0, wire::EventKind::resync, "/a");
  CHECK(connection.protocol.has_events());
  CHECK(connection.next().empty());
  CHECK(connection.protocol.end() == StreamProtocol::StreamEnd::shut_down);
}

TEST_CASE("a list of children that ended early is refused, and sets no watch") {
  Connection connection;
  connection.open();
  wire::ChildrenReply part;
  part.children.push_back({"a", {}, {}});
  part.more = true;
  for (const Opcode type : {Opcode::get_children, Opcode::get_children2}) {
    CHECK(connection.receive(read_frame(1, type, "/a", true)) == Lines{"children"});
    connection.reply(part);
    CHECK(connection.sent() == Lines{"xid 1 -8"});
    CHECK(connection.next() == Lines{"unwatch"});
    connection.reply(wire::EmptyReply{});
  }
  connection.fire(0, wire::EventKind::children, "/a");
  CHECK(connection.sent().empty());
}

TEST_CASE("each read of a multiRead has its own result") {
  Connection connection;
  connection.open();
  const auto reads = [](Writer& out) {
    for (const Opcode type : {Opcode::get_data, Opcode::get_children}) {
      out.int32(static_cast<std::int32_t>(type));
      out.boolean(false);
      out.int32(-1);
      out.text("/a");
      out.boolean(false);
    }
    out.int32(-1);
    out.boolean(true);
    out.int32(-1);
  };
  CHECK(connection.receive(request_frame(1, Opcode::multi_read, reads)) ==
        Lines{"get", "children"});
  connection.refuse(wire::ErrorCode::no_node);
  CHECK(connection.sent().empty());
  connection.reply(wire::ChildrenReply{});
  CHECK(connection.sent() == Lines{"xid 1 ok"});
}

TEST_CASE("a client that sends no connect, or only a part of a frame, is disconnected") {
  Connection silent;
  silent.wait(silent.limits.first_frame_timeout);
  CHECK(silent.next() == Lines{"closed"});
  Connection slow;
  slow.open();
  CHECK(slow.receive(request_frame(1, Opcode::ping).substr(0, 6)).empty());
  CHECK(slow.protocol.deadline() < StreamProtocol::never);
  slow.wait(slow.limits.message_timeout);
  CHECK(slow.protocol.end() == StreamProtocol::StreamEnd::shut_down);
}

TEST_CASE("a connection that is lost reports its end once, and reads no more") {
  for (const bool is_paused : {false, true}) {
    CAPTURE(is_paused);
    Connection connection;
    connection.open();
    if (is_paused) connection.protocol.pause();
    connection.protocol.lost();
    CHECK(connection.protocol.end() == StreamProtocol::StreamEnd::close);
    CHECK_FALSE(connection.protocol.wants_bytes());
    CHECK(connection.protocol.has_events());
    CHECK(connection.protocol.deadline() == StreamProtocol::never);
    CHECK(connection.next() == Lines{"closed"});
    CHECK(connection.next().empty());
    CHECK_FALSE(connection.protocol.has_events());
    CHECK_FALSE(connection.protocol.wants_bytes());
  }
}

TEST_CASE("the memory of an incomplete frame is charged, and released at its end") {
  Connection connection;
  connection.open();
  const std::string frame = request_frame(1, Opcode::set_data, [](Writer& out) {
    out.text("/a");
    out.text(std::string(100'000, 'x'));
    out.int32(-1);
  });
  CHECK(connection.receive(frame.substr(0, 50'000)).empty());
  CHECK(connection.ledger->server(Budget::unfinished).used() >= 49'000);
  CHECK(connection.receive(frame.substr(50'000)) == Lines{"set"});
  connection.reply(wire::SetReply{});
  CHECK(connection.sent() == Lines{"xid 1 ok"});
  CHECK(connection.receive(request_frame(2, Opcode::ping)) == Lines{"ping"});
  CHECK(connection.ledger->server(Budget::unfinished).used() == 0);
}

}  // namespace
}  // namespace server::zookeeper_protocol_test
