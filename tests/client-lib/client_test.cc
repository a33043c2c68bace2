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

#include "tests/client-lib/scripted_server.h"
#include "wire/json.h"

namespace zabkeeper {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using std::chrono::milliseconds;

TEST_CASE("calls return replies, and the destructor closes the session") {
  ScriptedServer server({[](ServerSide& peer) {
    CHECK(peer.read() == R"({"op":"connect","timeoutMs":10000,"dedup":true,"batch":true})");
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
  client.async_exists("/a", [&](const Error& error, const wire::ExistsReply& reply) {
    exists.set_value(error || reply.stat.has_value());
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
  options.attempt_timeout = milliseconds(1'000);
  std::promise<void> connected;
  options.on_session = [&](const SessionEvent& event) {
    if (event.kind == SessionEvent::Kind::connected) connected.set_value();
  };
  const Client client(options);
  CHECK(connected.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
}

TEST_CASE("the session and its watch move to another server after a timeout") {
  ScriptedServer server(
      {[](ServerSide& peer) {
         peer.read();
         peer.accept_session("false", 300);
         peer.read();
         peer.send(R"({"id":1,"zxid":"0000010000000002","watch":1,"stat":null})");
         for (std::string frame = peer.read(); !frame.empty(); frame = peer.read()) {
           CHECK(frame.find(R"("op":"ping")") != std::string::npos);
         }
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

TEST_CASE("a write without a reply gets ConnectionLoss only without dedup") {
  for (const bool dedup : {false, true}) {
    CAPTURE(dedup);
    ScriptedServer server(
        {[](ServerSide& peer) {
           peer.read();
           peer.accept_session("false");
           peer.read();
         },
         [dedup](ServerSide& peer) {
           peer.read();
           peer.accept_session("true");
           if (dedup) {
             CHECK(peer.read() == R"({"id":1,"op":"set","path":"/a","data":"x"})");
             peer.send(R"({"id":1,"zxid":"0000010000000002","stat":)" + a_stat + "}");
           }
           peer.close_session();
         }});
    Options options = options_for({server.endpoint()});
    options.session.dedup = dedup;
    Client client(options);
    const auto set = client.set("/a", "x");
    CHECK(set.has_value() == dedup);
    if (!dedup) CHECK(set.error().code == ErrorCode::connection_loss);
  }
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
  std::vector<Error> replies;
  {
    ScriptedServer server({serve(false), serve(true)});
    Client client(options_for({server.endpoint()}));
    std::promise<void> done;
    for (int i = 0; i < 7; ++i) {
      wire::CreateRequest create;
      create.path = "/" + std::to_string(i);
      if (i == 3) create.data = std::string(1 << 20, 'x');
      client.async_call(create, [&](const Error& error, const wire::CreateReply&) {
        replies.push_back(error);
        if (replies.size() == 7) done.set_value();
      });
    }
    done.get_future().wait();
  }
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CAPTURE(i);
    CHECK(replies[i].code == (i == 3 ? ErrorCode::too_large : ErrorCode{}));
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
  client.async_count("/", [](const Error&, const wire::CountReply&) {
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
  std::promise<void> connected;
  options.on_session = [&](const SessionEvent& event) {
    if (event.kind == SessionEvent::Kind::connected) connected.set_value();
  };
  Client client(options);
  connected.get_future().wait();
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
