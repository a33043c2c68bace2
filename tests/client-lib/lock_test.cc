#include "client-lib/lock.h"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include "client-lib/leader_election.h"
#include "tests/client-lib/scripted_server.h"

// Locks of a client. tests/ensemble/client_recipes_test.py uses them with real servers.
namespace zabkeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using LockReply = std::optional<wire::Result<wire::ReplyBody>>;

// The server's side of a lock, for one client.
struct LockServerState {
  bool is_free = true;                // a node that is created has its turn
  std::promise<std::string> created;  // the name of the first node
  std::promise<std::string> deleted;  // the path of the first node that is deleted
  int creates = 0;
  int deletes = 0;
};

LockReply answer_lock(LockServerState& state, const wire::ClientRequest& request) {
  const wire::Zxid czxid = wire::Zxid::from_bits(0x10000000007);
  if (const auto* create = std::get_if<wire::CreateRequest>(&request.request)) {
    if (state.creates++ == 0) state.created.set_value(create->path);
    wire::CreateReply reply{create->path + "0000000001", {}, state.is_free};
    reply.stat.czxid = czxid;
    return wire::ReplyBody(reply);
  }
  if (const auto* watch = std::get_if<wire::WatchRequest>(&request.request)) {
    wire::WatchReply reply{request.id, wire::Stat{}};
    reply.stat->czxid = czxid;
    return wire::ReplyBody(watch->scope == wire::WatchScope::turn ? wire::WatchReply{} : reply);
  }
  if (const auto* remove = std::get_if<wire::DeleteRequest>(&request.request)) {
    if (state.deletes++ == 0) state.deleted.set_value(remove->path);
    return wire::ReplyBody(wire::EmptyReply{});
  }
  return wire::ReplyBody(wire::EmptyReply{});
}

ScriptedServer::Script serve_lock(LockServerState& state) {
  return serve(
      [&state](const wire::ClientRequest& request) { return answer_lock(state, request); });
}

TEST_CASE("a hold has the token and the guard of its node, and releases it in its destructor") {
  LockServerState state;
  ScriptedServer server({serve_lock(state)});
  const Client client(options_for({server.endpoint()}));
  {
    const Lock lock(client, "/locks/report");
    const Result<Hold> hold = lock.acquire();
    REQUIRE(hold.has_value());
    CHECK(static_cast<bool>(*hold));
    CHECK(hold->path().starts_with("/locks/report/"));
    CHECK(hold->token() == wire::Zxid::from_bits(0x10000000007));
    CHECK(hold->guard().path == hold->path());
    CHECK(hold->guard().tests.czxid == hold->token());
    CHECK(!hold->stop_token().stop_requested());
    CHECK(state.created.get_future().get().ends_with("-lock-"));
  }
  CHECK(state.deleted.get_future().get().starts_with("/locks/report/"));
}

TEST_CASE("a release and the acquisition right after it are sent in one frame") {
  LockServerState state;
  std::size_t sent_together = 0;
  ScriptedServer server({[&](ServerSide& peer) {
    const Answer answer = [&](const wire::ClientRequest& request) {
      return answer_lock(state, request);
    };
    peer.read();
    peer.accept_session("false");
    while (state.deletes == 0) {
      const std::string frame = peer.read();
      if (frame.empty()) return;
      const int before = state.creates + state.deletes;
      answer_frame(peer, frame, answer);
      sent_together = static_cast<std::size_t>(state.creates + state.deletes - before);
    }
    answer_all(peer, answer);
  }});
  boost::asio::io_context io;
  Client client(io.get_executor(), options_for({server.endpoint()}));
  const Lock lock(client, "/locks/report");
  lock.async_acquire([&](const Error& error, Hold hold) {
    CHECK(!error);
    hold = {};
    lock.async_acquire([&](const Error& again, Hold next) {
      CHECK(!again);
      next = {};
      client.async_close(boost::asio::detached);
    });
  });
  io.run();
  CHECK(sent_together == 2);
}

TEST_CASE("a hold that is shared is released with its last handle") {
  LockServerState state;
  ScriptedServer server({serve_lock(state)});
  const Client client(options_for({server.endpoint()}));
  Hold first = Lock(client, "/locks/report").acquire().value();
  Hold second = first.share();
  const std::stop_token stop = first.stop_token();
  CHECK(first.release().has_value());
  CHECK(!first);
  CHECK(static_cast<bool>(second));
  CHECK(!stop.stop_requested());
  CHECK(client.sync().has_value());
  CHECK(state.deletes == 0);
  CHECK(second.release().has_value());
  CHECK(state.deletes == 1);
  CHECK(stop.stop_requested());
}

TEST_CASE("an acquisition that reaches its deadline deletes its node") {
  LockServerState state;
  state.is_free = false;
  ScriptedServer server({serve_lock(state)});
  const Client client(options_for({server.endpoint()}));
  const Result<Hold> hold = Lock(client, "/locks/report").acquire_for(milliseconds(50));
  REQUIRE(hold.has_error());
  CHECK(hold.error().code == ErrorCode::operation_timeout);
  CHECK(state.deleted.get_future().get().starts_with("/locks/report/"));
}

TEST_CASE("a lock that is not free is not waited for by try_acquire") {
  LockServerState state;
  state.is_free = false;
  ScriptedServer server({serve_lock(state)});
  const Client client(options_for({server.endpoint()}));
  const Result<Hold> hold = Lock(client, "/locks/report").try_acquire();
  REQUIRE(hold.has_value());
  CHECK(!*hold);
  CHECK(state.deletes == 1);
}

TEST_CASE("a cancelled acquisition leaves no node behind") {
  LockServerState state;
  state.is_free = false;
  ScriptedServer server({serve_lock(state)});
  const Client client(options_for({server.endpoint()}));
  boost::asio::cancellation_signal signal;
  std::promise<Error> error;
  Lock(client, "/locks/report")
      .async_acquire(boost::asio::bind_cancellation_slot(
          signal.slot(), [&](const Error& why, const Hold&) { error.set_value(why); }));
  state.created.get_future().wait();
  signal.emit(boost::asio::cancellation_type::terminal);
  CHECK(error.get_future().get().code == ErrorCode::cancelled);
  CHECK(state.deleted.get_future().get().starts_with("/locks/report/"));
}

TEST_CASE("a hold is lost when its session has not been confirmed in time") {
  LockServerState state;
  // Promises to keep the session for a while, and never again.
  ScriptedServer server({[&](ServerSide& peer) {
    peer.read();
    peer.send(R"({"op":"connected","session":"00000100000000aa","password":"9f","timeoutMs":60000,)"
              R"("validMs":300,"server":1,"role":"leader","zxid":"0000010000000001",)"
              R"("resumed":false,"servers":[]})");
    answer_all(peer,
               [&](const wire::ClientRequest& request) { return answer_lock(state, request); });
  }});
  std::promise<SessionEvent> ended;
  Options options = options_for({server.endpoint()});
  options.on_session = [&](const SessionEvent& event) {
    if (event.kind == SessionEvent::Kind::expired) ended.set_value(event);
  };
  const auto before = steady_clock::now();
  const Client client(options);
  const Hold hold = Lock(client, "/locks/report").acquire().value();
  std::promise<void> stopped;
  const std::stop_callback on_stop(hold.stop_token(), [&] { stopped.set_value(); });
  CHECK(hold.deadline() > before);
  CHECK(hold.deadline() < steady_clock::now() + milliseconds(300));
  stopped.get_future().wait();
  CHECK(!hold);
  CHECK(steady_clock::now() >= before + milliseconds(295));
  CHECK(ended.get_future().get().reason.find("confirmed") != std::string::npos);
  CHECK(client.get("/a").error().code == ErrorCode::session_expired);
}

TEST_CASE("a hold that outlives a closed session is lost") {
  LockServerState state;
  ScriptedServer server({serve_lock(state)});
  const Client client(options_for({server.endpoint()}));
  Hold hold = Lock(client, "/locks/report").acquire().value();
  std::promise<void> stopped;
  const std::stop_callback on_stop(hold.stop_token(), [&] { stopped.set_value(); });
  CHECK(client.close().has_value());
  stopped.get_future().wait();
  CHECK(hold.release().error().code == ErrorCode::session_expired);
}

TEST_CASE("a coroutine acquires and releases on the executor of the user") {
  LockServerState state;
  ScriptedServer server({serve_lock(state)});
  boost::asio::io_context io;
  bool has_held = false;
  Client client(io.get_executor(), options_for({server.endpoint()}));
  co_spawn(
      io,
      [&]() -> boost::asio::awaitable<void> {
        const Lock lock(client, "/locks/report");
        Hold hold = co_await lock.async_acquire(boost::asio::use_awaitable);
        CHECK(lock.acquire().error().code == ErrorCode::bad_arguments);
        has_held = static_cast<bool>(hold);
        co_await hold.async_release(boost::asio::use_awaitable);
        co_await client.async_close(boost::asio::use_awaitable);
      },
      [](const std::exception_ptr& failed) { CHECK(!failed); });
  io.run();
  CHECK(has_held);
  CHECK(state.deletes == 1);
}

TEST_CASE("nothing is held by an empty hold") {
  Hold hold;
  CHECK(!hold);
  CHECK(!hold.share());
  CHECK(hold.release().has_value());
  CHECK(hold.downgrade().error().code == ErrorCode::bad_arguments);
  CHECK_NOTHROW(hold.async_release(boost::asio::use_future).get());
}

}  // namespace
}  // namespace zabkeeper
