#include "server/peers/addresses.h"

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/peers/links.h"
#include "tests/server/links_harness.h"

namespace server {
namespace {

using links_harness::Network;
using links_harness::RawPeer;
using links_harness::Task;
using links_harness::TestServer;

// An address that no machine has (RFC 5737).
constexpr const char* nowhere = "192.0.2.1";

// Why the links cannot listen.
std::string refusal(Network& network, Links::Options options) {
  Links links(network.io, std::move(options), {});
  const auto started = links.start();
  return started ? "" : started.error().message;
}

}  // namespace

TEST_CASE("a server listens on all addresses of its line, and other servers try all of them") {
  Network network;
  auto one = network.options(1);
  one.servers[0].further = {{"127.0.0.2", network.port(1)}};
  auto two = network.options(2);
  auto three = network.options(3);
  SUBCASE("some of which nobody listens on") {
    two.servers[0].address.host = "127.0.0.3";
    two.servers[0].further = {{"127.0.0.2", network.port(1)}};
  }
  SUBCASE("some of which do not answer") {
    two.servers[0].address.host = nowhere;
    two.servers[0].further = {{"127.0.0.2", network.port(1)}};
  }
  SUBCASE("some of which are those of another server") {
    two.servers[0].address.port = network.port(3);
    two.servers[0].further = {{"127.0.0.2", network.port(1)}};
    network.start(three);
  }
  SUBCASE("some of which cannot be resolved") {
    two.servers[0].address.host = "no.such.host.invalid";
    two.servers[0].further = {{"127.0.0.2", network.port(1)}};
  }
  TestServer& first = network.start(one);
  TestServer& second = network.start(two);
  network.run([&]() -> Task {
    co_await network.until([&] { return first.linked_with(2) && second.linked_with(1); });
  });
}

TEST_CASE(
    "another machine's address in a server's own line is an error without quorumListenOnAllIPs") {
  Network network;
  auto options = network.options(1);
  options.servers[0].address.host = nowhere;
  const std::string why = refusal(network, options);
  CHECK(why.find("cannot listen for the other servers on 192.0.2.1:") == 0);
  CHECK(why.find("set quorumListenOnAllIPs=true") != std::string::npos);

  options.listen_on_all = true;
  network.start(options);
  network.run([&]() -> Task {
    RawPeer peer = co_await links_harness::half_greeted(network, 3, 1);
    peer.close();
  });
}

TEST_CASE("if a line has several addresses, one that this machine lacks is only a warning") {
  Network network;
  auto options = network.options(1);
  options.servers[0].further = {{nowhere, network.port(1)}};
  network.start(options);
  network.run([&]() -> Task {
    CHECK(network.log.count("cannot listen for the other servers on 192.0.2.1:") == 1);
    RawPeer peer = co_await links_harness::half_greeted(network, 3, 1);
    peer.close();
  });
}

TEST_CASE("the IPv6 address for all addresses is for IPv4 too, unless IPv4 has an address there") {
  Network network;
  auto options = network.options(1);
  options.servers[0].address.host = "::";
  SUBCASE("alone") {}
  SUBCASE("with one of IPv4") { options.servers[0].further = {{"127.0.0.1", network.port(1)}}; }
  network.start(options);
  network.run([&]() -> Task {
    RawPeer peer = co_await links_harness::half_greeted(network, 3, 1);
    peer.close();
  });
}

TEST_CASE("a port that is in use at one of several addresses is an error") {
  Network network;
  const auto other = network.listen_as(1);
  auto options = network.options(1);
  options.servers[0].further = {{"127.0.0.2", network.port(1)}};
  CHECK(refusal(network, options).find("is this server running already?") != std::string::npos);
  options.listen_on_all = true;
  CHECK(refusal(network, options).find("is this server running already?") != std::string::npos);
}

TEST_CASE("a server name that resolves to a loopback address on its own machine is a warning") {
  const std::vector<boost::asio::ip::address> debian{boost::asio::ip::make_address("127.0.1.1")};
  const std::vector<LinkedServer> servers{{1, {"alpha", 2888}}, {2, {"beta", 2888}}};
  CHECK(
      loopback_warning(servers, servers[0], debian) ==
      "alpha (server.1) is 127.0.1.1 on this machine, so servers on other machines cannot connect "
      "to this one: correct /etc/hosts, or set quorumListenOnAllIPs=true");

  const auto both = [&] {
    auto addresses = debian;
    addresses.push_back(boost::asio::ip::make_address("10.0.0.1"));
    return addresses;
  };
  CHECK_FALSE(loopback_warning(servers, servers[0], both()).has_value());
  const std::vector<LinkedServer> one_machine{{1, {"alpha", 2888}}, {2, {"alpha", 2889}}};
  CHECK_FALSE(loopback_warning(one_machine, one_machine[0], debian).has_value());
  const std::vector<LinkedServer> loopback{{1, {"localhost", 2888}}, {2, {"127.0.0.1", 2889}}};
  CHECK_FALSE(loopback_warning(loopback, loopback[0], debian).has_value());
}

}  // namespace server
