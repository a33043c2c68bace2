#include <cstddef>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "server/peers/links.h"
#include "tests/server/links_harness.h"

// Messages and queues that are too large.
namespace server {
namespace {

using links_harness::confirmation;
using links_harness::half_greeted;
using links_harness::Network;
using links_harness::RawPeer;
using links_harness::Task;
using links_harness::TestServer;

// A message of so many bytes.
Forward forward_of(std::size_t bytes) {
  constexpr std::size_t head = 1 + sizeof(wire::Epoch) + sizeof(std::uint32_t);
  return {{1}, wire::Bytes(bytes - head, 'x')};
}

}  // namespace

// The other end would close the link, and the next link would send it the same message again.
TEST_CASE("a message that fits into no frame is not sent, and the log names its kind and size") {
  Network network;
  TestServer& one = network.start(network.options(1));
  TestServer& two = network.start(network.options(2));
  network.run([&]() -> Task {
    co_await network.until([&] { return one.linked_with(2) && two.linked_with(1); });
    one.links->send({2}, forward_of(frame_bytes_max));
    co_await network.until([&] { return two.received.size() == 1; });
    CHECK(one.links->counters({2}).too_large == 0);

    one.links->send({2}, forward_of(frame_bytes_max + 1));
    CHECK(one.downs == 1);
    CHECK(one.links->counters({2}).too_large == 1);
    CHECK(network.log.count("a message to server 2 was not sent: a message of kind 32 has 67108865 "
                            "bytes, and a frame at most 67108864") == 1);
    co_await network.until([&] { return one.ups == 2; });
    CHECK(two.received.size() == 1);
    CHECK(network.log.count("is announced") == 0);
  });
}

TEST_CASE(
    "a link is closed when the other server receives nothing and too many bytes wait for it") {
  Network network;
  auto options = network.options(1);
  options.queued_bytes_max = std::size_t{16} << 20;
  TestServer& one = network.start(options);
  network.run([&]() -> Task {
    RawPeer slow = co_await half_greeted(network, 3, 1);
    co_await slow.send(confirmation());
    co_await network.until([&] { return one.ups == 1; });
    std::size_t queued = 0;
    while (one.downs == 0) {
      queued = one.links->queued({3});
      CHECK(queued <= options.queued_bytes_max);
      one.links->send({3}, forward_of(std::size_t{1} << 20));
      co_await boost::asio::post(network.io, boost::asio::use_awaitable);
    }
    CHECK(queued > options.queued_bytes_max - (std::size_t{2} << 20));
    CHECK(network.log.count("lost the link with server 3: it does not take what is sent: more than "
                            "16 MiB wait for it") == 1);
  });
}

}  // namespace server
