#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include "client-lib/client.h"
#include "tests/client-lib/scripted_server.h"

// Callers that do not wait for the reply: cancellation and deadlines.
namespace zabkeeper {
namespace {

using boost::asio::bind_cancellation_slot;
using boost::asio::cancellation_signal;
using boost::asio::cancellation_type;
using std::chrono::milliseconds;

using Body = std::optional<wire::Result<wire::ReplyBody>>;

// Requests that a server has received, one after another.
class Received {
 public:
  void push(const wire::ClientRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    arrived_.notify_all();
  }
  // Waits for the next one that is a Request.
  template <typename Request>
  wire::ClientRequest next() {
    std::unique_lock lock(mutex_);
    for (;; ++at_) {
      arrived_.wait(lock, [this] { return at_ < requests_.size(); });
      if (std::holds_alternative<Request>(requests_[at_].request)) return requests_[at_++];
    }
  }
  template <typename Request>
  bool has() {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(requests_, [](const wire::ClientRequest& each) {
      return std::holds_alternative<Request>(each.request);
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<wire::ClientRequest> requests_;
  std::size_t at_ = 0;
};

// A server that never accepts a connection.
struct HungServer {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor acceptor{io, {boost::asio::ip::make_address("127.0.0.1"), 0}};

  [[nodiscard]] Endpoint endpoint() const {
    return {{"127.0.0.1", acceptor.local_endpoint().port()}};
  }
};

// Calls it with a slot of `signal`, and keeps the error.
template <typename Reply, typename Begin>
std::future<Error> begin(cancellation_signal& signal, Begin begin_call) {
  auto error = std::make_shared<std::promise<Error>>();
  begin_call(bind_cancellation_slot(
      signal.slot(), [error](Error why, const Reply&) { error->set_value(std::move(why)); }));
  return error->get_future();
}

TEST_CASE("a call that is cancelled before it is sent is taken back") {
  HungServer server;
  const Client client(options_for({server.endpoint()}));
  cancellation_signal signal;
  auto error = begin<wire::CreateReply>(
      signal, [&](auto handler) { client.async_create("/a", "x", std::move(handler)); });
  signal.emit(cancellation_type::total);
  const Error why = error.get();
  CHECK(why.code == ErrorCode::cancelled);
  CHECK(why.path == "/a");
  CHECK(why.message.find("nothing was done") != std::string::npos);
  CHECK(boost::system::error_code(why) == boost::asio::error::operation_aborted);
}

TEST_CASE("a cancelled acquire leaves no node behind") {
  const wire::Zxid czxid = wire::Zxid::from_bits(0x10000000007);
  for (const bool has_level_3 : {true, false}) {
    CAPTURE(has_level_3);
    Received received;
    std::promise<void> cancelled;
    ScriptedServer server({serve(
        [&, left = cancelled.get_future().share()](const wire::ClientRequest& request) -> Body {
          received.push(request);
          if (std::holds_alternative<wire::CreateRequest>(request.request)) {
            left.wait();
            wire::CreateReply reply{"/lock/n-0000000003", {}};
            reply.stat.czxid = czxid;
            return wire::ReplyBody(reply);
          }
          if (!has_level_3 && !request.conditions.empty()) {
            return wire::Error{ErrorCode::unimplemented, "conditions need level 3"};
          }
          return wire::ReplyBody(wire::EmptyReply{});
        })});
    {
      const Client client(options_for({server.endpoint()}));
      cancellation_signal signal;
      auto error = begin<wire::CreateReply>(signal, [&](auto handler) {
        client.async_create("/lock/n-", "", {.sequential = true}, std::move(handler));
      });
      received.next<wire::CreateRequest>();
      signal.emit(cancellation_type::total);  // leaves a write alone that may have been done
      signal.emit(cancellation_type::terminal);
      CHECK(error.get().code == ErrorCode::cancelled);
      cancelled.set_value();
    }  // The close waits for the deletion: the server reads nothing after it.
    const auto removal = received.next<wire::DeleteRequest>();
    CHECK(std::get<wire::DeleteRequest>(removal.request).path == "/lock/n-0000000003");
    REQUIRE(removal.conditions.size() == 1);
    CHECK(removal.conditions[0].tests.czxid == czxid);
    if (!has_level_3) CHECK(received.next<wire::DeleteRequest>().conditions.empty());
  }
}

TEST_CASE(
    "a cancelled write that was sent is finished in the background over the next connection") {
  std::promise<void> sent, cancelled, done;
  ScriptedServer server({[&](ServerSide& peer) {
                           peer.read();
                           peer.accept_session("false");
                           peer.read();
                           sent.set_value();
                           cancelled.get_future().wait();
                         },
                         [&](ServerSide& peer) {
                           peer.read();
                           peer.accept_session("true");
                           CHECK(peer.read() == R"({"id":1,"op":"set","path":"/a","data":"x"})");
                           done.set_value();
                           peer.close_session();
                         }});
  Options options = options_for({server.endpoint()});
  const Client client(options);
  cancellation_signal signal;
  auto error = begin<wire::SetReply>(
      signal, [&](auto handler) { client.async_set("/a", "x", std::move(handler)); });
  sent.get_future().wait();
  signal.emit(cancellation_type::terminal);
  const Error why = error.get();
  CHECK(why.code == ErrorCode::cancelled);
  CHECK(why.message.find("may still be carried out") != std::string::npos);
  cancelled.set_value();
  done.get_future().wait();
}

TEST_CASE("a cancelled watch is removed at the server when its reply comes") {
  Received received;
  std::promise<void> cancelled;
  ScriptedServer server({serve(
      [&, left = cancelled.get_future().share()](const wire::ClientRequest& request) -> Body {
        received.push(request);
        if (std::holds_alternative<wire::WatchRequest>(request.request)) {
          left.wait();
          return wire::ReplyBody(wire::WatchReply{request.id, {}});
        }
        return wire::ReplyBody(wire::EmptyReply{});
      })});
  const Client client(options_for({server.endpoint()}));
  cancellation_signal signal;
  auto error = begin<wire::WatchReply>(signal, [&](auto handler) {
    client.async_watch(
        "/a", {}, [](const Result<wire::WatchEvent>&) {}, std::move(handler));
  });
  received.next<wire::WatchRequest>();
  signal.emit(cancellation_type::total);
  CHECK(error.get().code == ErrorCode::cancelled);
  cancelled.set_value();
  const auto unwatch = received.next<wire::UnwatchRequest>();
  CHECK(std::get<wire::UnwatchRequest>(unwatch.request).watch.json == "1");
}

TEST_CASE("a coroutine can give up a call by the operators of Asio") {
  using boost::asio::experimental::awaitable_operators::operator||;
  ScriptedServer server({serve([](const wire::ClientRequest& request) -> Body {
    const bool is_first = std::get<wire::GetRequest>(request.request).path == "/first";
    return is_first ? Body(wire::ReplyBody(wire::GetReply())) : std::nullopt;
  })});
  boost::asio::io_context io;
  std::optional<Client> client(std::in_place, io.get_executor(), options_for({server.endpoint()}));
  const auto story = [&]() -> boost::asio::awaitable<void> {
    co_await client->async_get("/first", boost::asio::use_awaitable);
    boost::asio::steady_timer timer(io, milliseconds(50));
    const auto done = co_await (client->async_get("/a", boost::asio::use_awaitable) ||
                                timer.async_wait(boost::asio::use_awaitable));
    CHECK(done.index() == 1);
    client.reset();
  };
  boost::asio::co_spawn(io, story, [](const std::exception_ptr& error) { CHECK(!error); });
  io.run();
}

TEST_CASE("a call ends at its deadline, and says whether it was sent") {
  HungServer hung;
  Received received;
  ScriptedServer silent({serve([&](const wire::ClientRequest& request) -> Body {
    received.push(request);
    return std::nullopt;
  })});
  const auto failure_of = [](std::future<wire::GetReply> get) {
    try {
      get.get();
    } catch (const Failure& failure) {
      return failure.error();
    }
    return Error();
  };
  const Client not_sent(options_for({hung.endpoint()}));
  const Error early =
      failure_of(not_sent.within(milliseconds(50)).async_get("/a", boost::asio::use_future));
  CHECK(early.code == ErrorCode::not_ready);
  CHECK(early.message.find("nothing was done") != std::string::npos);

  const Client sent(options_for({silent.endpoint()}));
  auto get = sent.async_get("/before", boost::asio::use_future);
  received.next<wire::GetRequest>();
  const Error late =
      failure_of(sent.within(milliseconds(50)).async_get("/a", boost::asio::use_future));
  CHECK(late.code == ErrorCode::operation_timeout);
  CHECK(late.path == "/a");
  CHECK(sent.within(milliseconds(50)).get("/a").error().code == ErrorCode::operation_timeout);
  CHECK(get.wait_for(milliseconds(0)) == std::future_status::timeout);
}

}  // namespace
}  // namespace zabkeeper
