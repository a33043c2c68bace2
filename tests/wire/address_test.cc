#include "wire/address.h"

#include <string>

#include <doctest/doctest.h>

namespace wire {
namespace {

TEST_CASE("a host with or without a port is an address") {
  struct Row {
    const char* text;
    Address address;
  };
  for (const Row& row : {
           Row{"a", {"a", 0}},
           Row{"a:2180", {"a", 2180}},
           Row{"a:0", {"a", 0}},
           Row{"a:65535", {"a", 65535}},
           Row{"zoo_3-a.example.", {"zoo_3-a.example.", 0}},
           Row{"127.0.0.1:80", {"127.0.0.1", 80}},
           Row{"256.0.0.1", {"256.0.0.1", 0}},
           Row{"[::1]", {"::1", 0}},
           Row{"[2001:DB8::1]:2180", {"2001:DB8::1", 2180}},
           Row{"[::ffff:10.0.0.1]:1", {"::ffff:10.0.0.1", 1}},
           Row{"[fe80::1%eth0]:2180", {"fe80::1%eth0", 2180}},
       }) {
    CAPTURE(row.text);
    const auto address = parse_address(row.text);
    REQUIRE(address.has_value());
    CHECK(*address == row.address);
  }
  CHECK(to_string(Address{"a", 2180}) == "a:2180");
  CHECK(to_string(Address{"::1", 2180}) == "[::1]:2180");
}

TEST_CASE("an address that cannot be parsed is an error that says why") {
  const char* const form = "is not host or host:port, with brackets around an IPv6 address";
  struct Row {
    const char* text;
    const char* message;
  };
  for (const Row& row : {
           Row{"", "names no host"},
           Row{":2180", "names no host"},
           Row{"a:", "has no port from 0 to 65535"},
           Row{"a:65536", "has no port from 0 to 65535"},
           Row{"a:99999999999999999999", "has no port from 0 to 65535"},
           Row{"a:b", form},
           Row{"a:-1", form},
           Row{"a:1:2", form},
           Row{"::1", form},
           Row{"[::1", form},
           Row{"[::1]x:1", form},
           Row{"[]", form},
           Row{"[a]", form},
           Row{"[127.0.0.1]", form},
           Row{"[v1.a]", form},
           Row{"me@a", form},
           Row{"a b", form},
           Row{"a/b", form},
           Row{"a*", "has characters that a host name cannot have"},
           Row{"a%20b", "has characters that a host name cannot have"},
       }) {
    CAPTURE(row.text);
    const auto address = parse_address(row.text);
    REQUIRE(address.has_error());
    CHECK(address.error().message == row.message);
  }
}

TEST_CASE("a URL has a scheme, an address and a target") {
  const auto url = parse_url("ws://a:2180/v1?x=1");
  REQUIRE(url.has_value());
  CHECK(url->scheme == "ws");
  CHECK(url->address == Address{"a", 2180});
  CHECK(url->target == "/v1?x=1");
  CHECK(parse_url("https://[::1]")->address == Address{"::1", 0});
  CHECK(parse_url("https://a")->target.empty());
  CHECK(parse_url("https://a/")->target == "/");
  for (const char* text : {"", "a", "a:1", "http:/a", "http://", "http://a:b/", "http://me@a"}) {
    CAPTURE(text);
    CHECK(parse_url(text).has_error());
  }
}

TEST_CASE("IP addresses are distinguished from names, and loopback addresses from others") {
  struct Row {
    const char* host;
    bool is_ip;
    bool is_loopback;
    bool is_any;
  };
  for (const Row& row : {
           Row{"127.0.0.1", true, true, false},
           Row{"127.255.0.9", true, true, false},
           Row{"::1", true, true, false},
           Row{"localhost", false, true, false},
           Row{"0.0.0.0", true, false, true},
           Row{"::", true, false, true},
           Row{"10.0.0.1", true, false, false},
           Row{"fe80::1%eth0", true, false, false},
           Row{"::2", true, false, false},
           Row{"1::1", true, false, false},
           Row{"", false, false, false},
           Row{"a", false, false, false},
           Row{"10.0.0", false, false, false},
           Row{"10.0.0.1%eth0", false, false, false},
           Row{"010.0.0.1", false, false, false},
           Row{"[::1]", false, false, false},
       }) {
    CAPTURE(row.host);
    CHECK(is_ip_address(row.host) == row.is_ip);
    CHECK(is_loopback(row.host) == row.is_loopback);
    CHECK(is_any_address(row.host) == row.is_any);
  }
  CHECK(ip_bytes("10.0.0.1") == std::string("\x0a\0\0\x01", 4));
  CHECK(ip_bytes("::2").size() == 16);
}

}  // namespace
}  // namespace wire
