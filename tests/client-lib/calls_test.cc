#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include "client-lib/client.h"
#include "tests/client-lib/scripted_server.h"

// Blocking and asynchronous calls side by side: callbacks that use the client, executors, and
// bounded memory.
namespace zabkeeper {
namespace {

using std::chrono::milliseconds;

TEST_CASE(
    "a callback may begin calls, and a blocking call in it fails instead of waiting for ever") {
  ScriptedServer server({serve(answer_simply)});
  const Client client(options_for({server.endpoint()}));
  std::promise<Error> blocking;
  std::promise<std::string> nested;
  client.async_get("/a", [&](const Error&, const wire::GetReply&) {
    blocking.set_value(client.get("/a").error());
    client.async_get(
        "/a", [&](const Error&, const wire::GetReply& reply) { nested.set_value(reply.data); });
  });
  const Error refused = blocking.get_future().get();
  CHECK(refused.code == ErrorCode::bad_arguments);
  CHECK(refused.message.find("use the asynchronous calls") != std::string::npos);
  CHECK(nested.get_future().get() == "v1");
}

TEST_CASE("a blocking call fails in every thread that runs the user's executor") {
  ScriptedServer server({serve(answer_simply)});
  boost::asio::io_context io;
  Client client(io.get_executor(), options_for({server.endpoint()}));
  ErrorCode code{};
  client.async_get("/a", boost::asio::bind_executor(io, [&](const Error&, const wire::GetReply&) {
                     code = client.get("/a").error().code;
                     client.async_close([](const Error&, const wire::ClosedReply&) {});
                   }));
  io.run();
  CHECK(code == ErrorCode::bad_arguments);
}

TEST_CASE("blocking calls of other threads work with the user's executor") {
  ScriptedServer server({serve(answer_simply)});
  boost::asio::io_context io;
  std::optional<Client> client(std::in_place, io.get_executor(), options_for({server.endpoint()}));
  std::thread thread([&] {
    CHECK(client->get("/a")->data == "v1");
    CHECK(client->get("/b").error().path == "/b");
    client.reset();  // closes the session in the background
  });
  io.run();
  thread.join();
}

TEST_CASE("a client may be destroyed by its own callback") {
  std::promise<bool> closed;
  ScriptedServer server({[&](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    closed.set_value(answer_all(peer, answer_simply));
  }});
  auto client = std::make_unique<Client>(options_for({server.endpoint()}));
  Client& used = *client;
  used.async_get("/a", [client = std::move(client)](const Error&, const wire::GetReply&) mutable {
    client.reset();
  });
  CHECK(closed.get_future().get());
}

TEST_CASE("calls that are outstanding when their client is destroyed get an error") {
  std::promise<void> sent;
  ScriptedServer server({[&](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    peer.read();
    sent.set_value();
    while (!peer.read().empty()) {
    }
  }});
  std::future<wire::GetReply> get;
  std::promise<Error> set;
  {
    const Client client(options_for({server.endpoint()}));
    client.async_set("/a", "x",
                     [&](Error error, const wire::SetReply&) { set.set_value(std::move(error)); });
    sent.get_future().wait();
    get = client.async_get("/a", boost::asio::use_future);
  }
  CHECK_THROWS_AS(get.get(), Failure);
  // It was sent, and nobody will learn whether it was done.
  CHECK(set.get_future().get().code == ErrorCode::connection_loss);
}

TEST_CASE("requests beyond the bound wait until others are answered") {
  std::atomic<std::size_t> received = 0;
  std::promise<void> go;
  ScriptedServer server({[&, proceed = go.get_future().share()](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    const std::string first = peer.read();
    proceed.wait();
    // Only the first request was sent: the rest comes one by one, after each reply.
    CHECK(first == R"({"id":1,"op":"get","path":"/a"})");
    peer.send(R"({"id":1,"zxid":"0000010000000002","data":"v1","stat":)" + a_stat + "}");
    for (int id = 2; id <= 5; ++id) {
      CHECK(peer.read() == R"({"id":)" + std::to_string(id) + R"(,"op":"get","path":"/a"})");
      peer.send(R"({"id":)" + std::to_string(id) +
                R"(,"zxid":"0000010000000002","data":"v1","stat":)" + a_stat + "}");
      ++received;
    }
    peer.close_session();
  }});
  Options options = options_for({server.endpoint()});
  options.outstanding.requests = 1;
  const Client client(options);
  std::vector<std::future<wire::GetReply>> gets;
  for (int i = 0; i < 4; ++i) gets.push_back(client.async_get("/a", boost::asio::use_future));
  auto blocking = std::async(std::launch::async, [&] { return client.get("/a").has_value(); });
  go.set_value();
  for (auto& get : gets) CHECK(get.get().data == "v1");
  CHECK(blocking.get());
  CHECK(received == 4);
}

TEST_CASE("an asynchronous call beyond what may be begun gets Overloaded, a blocking one waits") {
  std::promise<void> go;
  ScriptedServer server({[&, proceed = go.get_future().share()](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    proceed.wait();
    answer_all(peer, answer_simply);
  }});
  Options options = options_for({server.endpoint()});
  options.begun.requests = 2;
  options.begun.bytes = 100'000;
  const Client client(options);
  const std::string large(60'000, 'x');
  auto first = client.async_set("/a", large, boost::asio::use_future);
  CHECK_THROWS_AS(client.async_set("/a", large, boost::asio::use_future).get(), Failure);
  auto second = client.async_set("/a", "x", boost::asio::use_future);
  std::promise<Error> refused;
  client.async_set("/a", "x",
                   [&](Error why, const wire::SetReply&) { refused.set_value(std::move(why)); });
  const Error why = refused.get_future().get();
  CHECK(why.code == ErrorCode::overloaded);
  CHECK(why.message.find("nothing was done") != std::string::npos);
  auto blocking = std::async(std::launch::async, [&] { return client.set("/a", "y").has_value(); });
  go.set_value();
  first.get();
  second.get();
  CHECK(blocking.get());
  CHECK_NOTHROW(client.async_set("/a", "x", boost::asio::use_future).get());
}

TEST_CASE("the client goes to the servers that the ensemble names") {
  ScriptedServer second({[](ServerSide& peer) {
    CHECK(peer.read().find(R"("session":"00000100000000aa")") != std::string::npos);
    peer.accept_session("true");
    answer_all(peer, answer_simply);
  }});
  ScriptedServer first({[&](ServerSide& peer) {
    peer.read();
    peer.accept_session("false", 4'000, second.endpoint().url() + "/v1");
    peer.send(R"({"op":"goaway","reason":"shutting down"})");
  }});
  Options options = options_for({first.endpoint()});
  options.attempt_timeout = milliseconds(300);  // The first one still listens, and does not answer.
  const Client client(options);
  CHECK(client.get("/a")->data == "v1");
}

}  // namespace
}  // namespace zabkeeper
