#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include "client-lib/client.h"
#include "tests/client-lib/scripted_server.h"

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer does not see how libstdc++, which it has not compiled, counts the references to
// an exception. Every exception that a future carries to another thread would be reported.
extern "C" const char* __tsan_default_suppressions() { return "race:std::__exception_ptr\n"; }
#endif

namespace zabkeeper {
namespace {

using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::bind_executor;
using boost::asio::co_spawn;
using boost::asio::deferred;
using boost::asio::use_awaitable;
using boost::asio::use_future;

// The failure that `call` throws.
template <typename Call>
Error thrown_by(Call call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure.error();
  }
  return {};
}

// What every token gets for a path that does not exist.
const Error missing{{ErrorCode::no_node, "/b does not exist"}, "/b"};

TEST_CASE("a callback gets the error and the reply as values") {
  ScriptedServer server({serve(answer_simply)});
  const Client client(options_for({server.endpoint()}));
  std::promise<std::tuple<Error, std::string>> there, gone;
  client.async_get("/a", [&](const Error& error, const wire::GetReply& reply) {
    there.set_value({error, reply.data});
  });
  client.async_get("/b", [&](const Error& error, const wire::GetReply& reply) {
    gone.set_value({error, reply.data});
  });
  CHECK(there.get_future().get() == std::tuple(Error(), std::string("v1")));
  CHECK(gone.get_future().get() == std::tuple(missing, std::string()));
}

TEST_CASE("a callback may take a boost::system::error_code instead of the error") {
  ScriptedServer server({serve(answer_simply)});
  const Client client(options_for({server.endpoint()}));
  std::promise<boost::system::error_code> gone;
  client.async_get(
      "/b", [&](boost::system::error_code error, const wire::GetReply&) { gone.set_value(error); });
  const boost::system::error_code error = gone.get_future().get();
  CHECK(error.value() == static_cast<int>(ErrorCode::no_node));
  CHECK(error.message() == "NoNode");
}

TEST_CASE("use_future returns the reply or throws the failure") {
  ScriptedServer server({serve(answer_simply)});
  const Client client(options_for({server.endpoint()}));
  std::future<wire::GetReply> there = client.async_get("/a", use_future);
  CHECK(there.get().data == "v1");
  CHECK(thrown_by([&] { client.async_get("/b", use_future).get(); }) == missing);
}

TEST_CASE("coroutines get replies, and errors as exceptions or as values") {
  ScriptedServer server({serve(answer_simply)});
  boost::asio::io_context io;
  Client client(io.get_executor(), options_for({server.endpoint()}));
  bool done = false;
  const auto story = [&]() -> awaitable<void> {
    CHECK((co_await client.async_get("/a", use_awaitable)).data == "v1");
    CHECK((co_await client.async_get("/a", deferred)).data == "v1");
    auto [fine, there] = co_await client.async_get("/a", as_tuple(use_awaitable));
    CHECK(!fine);
    CHECK(there.data == "v1");
    auto [error, gone] = co_await client.async_get("/b", as_tuple(use_awaitable));
    CHECK(error == missing);
    for (const bool by_deferred : {false, true}) {
      Error caught;
      try {
        if (by_deferred) {
          co_await client.async_get("/b", deferred);
        } else {
          co_await client.async_get("/b", use_awaitable);
        }
      } catch (const Failure& failure) {
        caught = failure.error();
        CHECK(failure.code() == ErrorCode::no_node);
        CHECK(failure.path() == "/b");
        CHECK(std::string(failure.what()) == "NoNode: /b does not exist");
      }
      CHECK(caught == missing);
    }
    co_await client.async_close(use_awaitable);
    done = true;
  };
  co_spawn(io, story, [](const std::exception_ptr& error) { CHECK(!error); });
  io.run();  // returns once the client is closed
  CHECK(done);
}

TEST_CASE("an operation of deferred does nothing until it is launched") {
  ScriptedServer server({serve(answer_simply)});
  const Client client(options_for({server.endpoint()}));
  auto get = client.async_get("/b", deferred);
  std::promise<Error> gone;
  std::move(get)([&](const std::exception_ptr& exception, const wire::GetReply&) {
    gone.set_value(error_of(exception));
  });
  CHECK(gone.get_future().get() == missing);
  CHECK(thrown_by([&] { client.async_get("/b", deferred)(use_future).get(); }) == missing);
}

TEST_CASE("a handler runs on its associated executor, else on the client's strand") {
  ScriptedServer server({serve(answer_simply)});
  const Client client(options_for({server.endpoint()}));
  const auto strand =
      *client.get_executor().target<boost::asio::strand<boost::asio::any_io_executor>>();
  std::promise<bool> by_strand;
  client.async_get("/a", [&](const Error&, const wire::GetReply&) {
    by_strand.set_value(strand.running_in_this_thread());
  });
  CHECK(by_strand.get_future().get());

  boost::asio::io_context other;
  bool by_other = false;
  client.async_get("/a", bind_executor(other, [&](const Error&, const wire::GetReply&) {
                     by_other = !strand.running_in_this_thread();
                   }));
  other.run();  // has work until the handler has run
  CHECK(by_other);
}

TEST_CASE("a callback for events runs on its associated executor") {
  ScriptedServer server({[](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    peer.read();
    peer.send(R"({"id":1,"zxid":"0000010000000002","watch":1,"stat":null})");
    peer.send(R"({"watch":1,"event":"created","path":"/a","zxid":"0000010000000003"})");
    peer.close_session();
  }});
  boost::asio::io_context other;
  auto work = boost::asio::make_work_guard(other);
  const Client client(options_for({server.endpoint()}));
  std::string seen;
  const auto watch =
      client.watch("/a", {}, bind_executor(other, [&](const Result<wire::WatchEvent>& event) {
                     seen = event->path;
                     work.reset();
                   }));
  CHECK(watch.has_value());
  other.run();
  CHECK(seen == "/a");
}

// Counts the bytes that are allocated.
template <typename T>
struct CountingAllocator {
  using value_type = T;

  explicit CountingAllocator(std::shared_ptr<std::ptrdiff_t> allocated, std::size_t* ever)
      : bytes(std::move(allocated)), total(ever) {}
  template <typename U>
  CountingAllocator(const CountingAllocator<U>& other) : bytes(other.bytes), total(other.total) {}

  T* allocate(std::size_t n) {
    *bytes += static_cast<std::ptrdiff_t>(n * sizeof(T));
    *total += n * sizeof(T);
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* memory, std::size_t n) {
    *bytes -= static_cast<std::ptrdiff_t>(n * sizeof(T));
    std::allocator<T>().deallocate(memory, n);
  }
  template <typename U>
  bool operator==(const CountingAllocator<U>& other) const {
    return bytes == other.bytes;
  }

  std::shared_ptr<std::ptrdiff_t> bytes;
  std::size_t* total;
};

TEST_CASE("a handler is kept in memory of its associated allocator, which is free when it runs") {
  ScriptedServer server({serve(answer_simply)});
  boost::asio::io_context io;
  Client client(io.get_executor(), options_for({server.endpoint()}));
  const auto allocated = std::make_shared<std::ptrdiff_t>(0);
  std::size_t ever = 0;
  client.async_get("/a", boost::asio::bind_allocator(
                             CountingAllocator<void>(allocated, &ever),
                             [&](const Error&, const wire::GetReply&) {
                               CHECK(*allocated == 0);
                               client.async_close([](const Error&, const wire::ClosedReply&) {});
                             }));
  CHECK(*allocated > 0);
  io.run();
  CHECK(*allocated == 0);
  CHECK(ever > 0);
}

TEST_CASE("calls of several threads and of their callbacks do not disturb each other") {
  ScriptedServer server({serve(answer_simply)});
  boost::asio::thread_pool pool(3);
  std::atomic<int> done = 0;
  constexpr int calls = 50;
  {
    Client client(pool.get_executor(), options_for({server.endpoint()}));
    std::vector<std::thread> threads;
    std::vector<std::future<wire::SetReply>> sets(3 * calls);
    std::promise<void> all_done;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < calls; ++i) {
          client.async_get("/a", [&](const Error&, const wire::GetReply&) {
            client.async_exists("/a", bind_executor(pool, [&](const Error&, const auto&) {
                                  if (++done == 3 * calls) all_done.set_value();
                                }));
          });
          sets[static_cast<std::size_t>(t * calls + i)] = client.async_set("/a", "x", use_future);
          CHECK(client.get("/a").has_value());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (auto& set : sets) set.get();
    all_done.get_future().wait();
  }
  pool.join();
  CHECK(done == 3 * calls);
}

}  // namespace
}  // namespace zabkeeper
