#include "client-lib/client.h"

#include <cstdint>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <doctest/doctest.h>

#include "wire/json.h"

namespace zabkeeper {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using std::chrono::milliseconds;

// The server's end of one connection.
class ServerSide {
 public:
  explicit ServerSide(tcp::socket socket) : stream_(std::move(socket)) { stream_.accept(); }

  // Empty once the client has closed the connection.
  std::string read() {
    beast::flat_buffer buffer;
    beast::error_code error;
    stream_.read(buffer, error);
    return error ? std::string() : beast::buffers_to_string(buffer.data());
  }
  void send(const std::string& text) { stream_.write(asio::buffer(text)); }
  // Ends the connection with a status of RFC 6455, without waiting for the client.
  void close(unsigned status, const std::string& reason) {
    beast::error_code ignored;
    beast::websocket::close_reason why(static_cast<std::uint16_t>(status));
    why.reason = reason;
    stream_.close(why, ignored);
  }
  // A longer frame makes `read` close the connection with status 1009.
  void limit_frames(std::size_t bytes) { stream_.read_message_max(bytes); }
  void accept_session(const std::string& resumed, int timeout_ms = 4'000) {
    send(R"({"op":"connected","session":"00000100000000aa","password":"9f","timeoutMs":)" +
         std::to_string(timeout_ms) +
         R"(,"server":1,"role":"leader","zxid":"0000010000000001","resumed":)" + resumed +
         R"(,"servers":[]})");
  }
  // Ignores all requests up to a close, and replies to that.
  void close_session() {
    for (;;) {
      const std::string text = read();
      if (text.empty()) return;
      const std::size_t close = text.find(R"(,"op":"close"})");
      if (close == std::string::npos) continue;
      const std::size_t id = text.rfind(':', close - 1) + 1;
      return send(R"({"op":"closed","id":)" + text.substr(id, close - id) +
                  R"(,"zxid":"0000010000000009"})");
    }
  }

 private:
  beast::websocket::stream<tcp::socket> stream_;
};

// Runs one script after another, each on the next connection.
class ScriptedServer {
 public:
  using Script = std::function<void(ServerSide&)>;

  explicit ScriptedServer(std::vector<Script> scripts)
      : acceptor_(io_, {asio::ip::make_address("127.0.0.1"), 0}) {
    thread_ = std::thread([this, scripts = std::move(scripts)] {
      for (const Script& script : scripts) {
        ServerSide peer(acceptor_.accept());
        script(peer);
      }
    });
  }
  ~ScriptedServer() { thread_.join(); }

  [[nodiscard]] Endpoint endpoint() const {
    return {{"127.0.0.1", acceptor_.local_endpoint().port()}};
  }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

Options options_for(std::vector<Endpoint> servers) {
  Options options;
  options.servers = std::move(servers);
  options.attempt_timeout = milliseconds(300);
  options.offline_timeout = milliseconds(5'000);
  return options;
}

TEST_CASE("calls return replies, and the destructor closes the session") {
  ScriptedServer server({[](ServerSide& peer) {
    CHECK(peer.read() == R"({"op":"connect","timeoutMs":10000,"batch":true})");
    peer.accept_session("false");
    CHECK(peer.read() == R"({"id":1,"op":"count","path":"/"})");
    peer.send(R"({"id":1,"zxid":"0000010000000002","count":3})");
    CHECK(peer.read() == R"({"id":2,"op":"exists","path":"/a"})");
    peer.send(R"({"id":2,"zxid":"0000010000000002","stat":null})");
    CHECK(peer.read() == R"({"id":3,"op":"close"})");
    peer.send(R"({"op":"closed","id":3,"zxid":"0000010000000003"})");
  }});
  Client client(options_for({server.endpoint()}));
  CHECK(client.count("/")->count == 3);
  std::promise<bool> exists;
  client.async(wire::ExistsRequest{"/a", {}}, [&](const Result<wire::ExistsReply>& reply) {
    exists.set_value(reply.has_value() && reply->stat.has_value());
  });
  CHECK(!exists.get_future().get());
}

TEST_CASE("the client skips servers that refuse, hang or do not answer") {
  asio::io_context io;
  tcp::acceptor hung(io, {asio::ip::make_address("127.0.0.1"), 0});  // never accepts
  tcp::acceptor gone(io, {asio::ip::make_address("127.0.0.1"), 0});
  const auto port_of = [](const tcp::acceptor& acceptor) {
    return acceptor.local_endpoint().port();
  };
  const Endpoint dead{{"127.0.0.1", port_of(gone)}};
  gone.close();
  ScriptedServer server({[](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    peer.close_session();
  }});
  Options options = options_for({dead, {{"127.0.0.1", port_of(hung)}}, server.endpoint()});
  std::promise<void> connected;
  options.on_session = [&](const SessionEvent& event) {
    if (event.kind == SessionEvent::Kind::connected) connected.set_value();
  };
  const Client client(options);
  CHECK(connected.get_future().wait_for(std::chrono::seconds(5)) == std::future_status::ready);
}

TEST_CASE("the session and its watch move to another server after a timeout") {
  ScriptedServer server(
      {[](ServerSide& peer) {
         peer.read();
         peer.accept_session("false", 300);
         peer.read();
         peer.send(R"({"id":1,"zxid":"0000010000000002","watch":1,"stat":null})");
         CHECK(peer.read() == R"({"id":2,"op":"ping"})");
         CHECK(peer.read().empty());
       },
       [](ServerSide& peer) {
         CHECK(peer.read().find(R"("session":"00000100000000aa")") != std::string::npos);
         peer.accept_session("true");
         CHECK(peer.read() == R"({"id":1,"op":"watch","path":"/a","scope":"node",)"
                              R"("from":"0000010000000002"})");
         peer.send(R"([{"watch":1,"event":"created","path":"/a",)"
                   R"("zxid":"0000010000000003"},)"
                   R"({"id":1,"zxid":"0000010000000003","watch":1,"stat":null}])");
         peer.close_session();
       }});
  std::promise<std::string> seen;
  Client client(options_for({server.endpoint()}));
  const auto watch = client.watch("/a", {}, [&](const Result<wire::WatchEvent>& event) {
    if (event.has_value()) seen.set_value(event->path);
  });
  CHECK(watch.has_value());
  CHECK(seen.get_future().get() == "/a");
}

TEST_CASE("a write without a reply gets ConnectionLoss") {
  ScriptedServer server({[](ServerSide& peer) {
                           peer.read();
                           peer.accept_session("false");
                           peer.read();
                         },
                         [](ServerSide& peer) {
                           peer.read();
                           peer.accept_session("true");
                           peer.close_session();
                         }});
  Client client(options_for({server.endpoint()}));
  const auto created = client.create("/a", "x");
  REQUIRE(created.has_error());
  CHECK(created.error().code == wire::ErrorCode::connection_loss);
}

TEST_CASE("a request that makes a server close the connection gets a definite error") {
  for (const unsigned status : {1007u, 1008u, 1009u}) {
    CAPTURE(status);
    ScriptedServer server({[&](ServerSide& peer) {
                             peer.read();
                             peer.accept_session("false");
                             peer.read();
                             peer.close(status, "not like this");
                           },
                           [](ServerSide& peer) {
                             peer.read();
                             peer.accept_session("true");
                             peer.close_session();
                           }});
    Client client(options_for({server.endpoint()}));
    const auto created = client.create("/a", "x");
    REQUIRE(created.has_error());
    CHECK(created.error().code ==
          (status == 1009 ? wire::ErrorCode::too_large : wire::ErrorCode::bad_arguments));
    CHECK(created.error().message.find("not like this") != std::string::npos);
  }
}

// Carries out creates until the connection ends. Returns whether the session was closed.
bool carry_out_creates(ServerSide& peer, std::vector<std::string>& paths) {
  for (;;) {
    const std::string frame = peer.read();
    if (frame.empty()) return false;
    for (const wire::ParsedRequest& request : wire::json::parse_requests(frame).requests) {
      std::string reply;
      if (const auto* create = std::get_if<wire::CreateRequest>(&request->request)) {
        paths.push_back(create->path);
        wire::json::write(wire::Reply{request->id, {}, {}, wire::CreateReply{create->path, {}}},
                          reply);
      } else {
        wire::json::write(wire::Reply{request->id, {}, {}, wire::ClosedReply{}}, reply);
      }
      peer.send(reply);
      if (std::holds_alternative<wire::CloseRequest>(request->request)) return true;
    }
  }
}

TEST_CASE(
    "with a frame that is too large, the outcome of the writes before and after it is definite") {
  std::vector<std::string> carried_out;
  const auto serve = [&](bool resumed) {
    return [&carried_out, resumed](ServerSide& peer) {
      peer.read();
      peer.limit_frames(100'000);
      peer.accept_session(resumed ? "true" : "false");
      CHECK(carry_out_creates(peer, carried_out) == resumed);
    };
  };
  std::vector<Result<wire::CreateReply>> replies;
  {
    ScriptedServer server({serve(false), serve(true)});
    Client client(options_for({server.endpoint()}));
    std::promise<void> done;
    for (int i = 0; i < 7; ++i) {
      wire::CreateRequest create;
      create.path = "/" + std::to_string(i);
      if (i == 3) create.data = std::string(1 << 20, 'x');
      client.async(create, [&](Result<wire::CreateReply> reply) {
        replies.push_back(std::move(reply));
        if (replies.size() == 7) done.set_value();
      });
    }
    done.get_future().wait();
  }
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CAPTURE(i);
    REQUIRE(replies[i].has_error() == (i == 3));
    if (i == 3) CHECK(replies[i].error().code == wire::ErrorCode::too_large);
  }
  CHECK(carried_out == std::vector<std::string>{"/0", "/1", "/2", "/4", "/5", "/6"});
}

TEST_CASE("a callback that throws ends the client, and not the program") {
  ScriptedServer server({[](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    peer.read();
    peer.send(R"({"id":1,"zxid":"0000010000000002","count":3})");
    while (!peer.read().empty()) {
    }
  }});
  Client client(options_for({server.endpoint()}));
  client.async(wire::CountRequest{"/", {}}, [](const Result<wire::CountReply>&) {
    throw std::runtime_error("a mistake of the callback");
  });
  const auto count = client.count("/");
  REQUIRE(count.has_error());
  CHECK(count.error().code == wire::ErrorCode::system_error);
  CHECK(count.error().message.find("a mistake of the callback") != std::string::npos);
}

TEST_CASE("calls get NotReady when no server is found in time") {
  asio::io_context io;
  tcp::acceptor gone(io, {asio::ip::make_address("127.0.0.1"), 0});
  Options options = options_for({{{"127.0.0.1", gone.local_endpoint().port()}}});
  gone.close();
  options.offline_timeout = milliseconds(200);
  Client client(options);
  const auto created = client.create("/a", "x");
  REQUIRE(created.has_error());
  CHECK(created.error().code == wire::ErrorCode::not_ready);
}

TEST_CASE("calls do not wait for servers that decline every handshake") {
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  std::thread server([&] {
    tcp::socket socket = acceptor.accept();
    std::string request;
    asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n");
    asio::write(socket, asio::buffer(std::string("HTTP/1.1 421 Misdirected Request\r\n"
                                                 "Content-Length: 13\r\n\r\nunknown Host\n")));
  });
  Options options = options_for({{{"127.0.0.1", acceptor.local_endpoint().port()}}});
  options.offline_timeout = std::chrono::hours(1);
  Client client(options);
  const auto created = client.create("/a", "x");
  server.join();
  REQUIRE(created.has_error());
  CHECK(created.error().code == wire::ErrorCode::not_ready);
  CHECK(created.error().message.find("HTTP 421: unknown Host") != std::string::npos);
}

TEST_CASE("a waiting call ends after its timeout") {
  ScriptedServer server({[](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    peer.close_session();
  }});
  Options options = options_for({server.endpoint()});
  options.call_timeout = milliseconds(100);
  Client client(options);
  const auto count = client.count("/");
  REQUIRE(count.has_error());
  CHECK(count.error().code == wire::ErrorCode::operation_timeout);
}

TEST_CASE("a waiting call that could not be sent in time is not carried out later") {
  asio::io_context io;
  tcp::acceptor hung(io, {asio::ip::make_address("127.0.0.1"), 0});  // never accepts
  Options options = options_for({{{"127.0.0.1", hung.local_endpoint().port()}}});
  options.offline_timeout = std::chrono::hours(1);
  options.call_timeout = milliseconds(100);
  Client client(options);
  const auto created = client.create("/a", "x");
  REQUIRE(created.has_error());
  CHECK(created.error().code == wire::ErrorCode::not_ready);
  CHECK(created.error().message.find("nothing was done") != std::string::npos);
}

}  // namespace
}  // namespace zabkeeper
