#include "client-lib/hosts.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace zabkeeper {
namespace {

using std::chrono::milliseconds;

TEST_CASE("parse_endpoints accepts lists with or without scheme, port and path") {
  struct Row {
    const char* text;
    std::vector<Endpoint> endpoints;
  };
  for (const Row& row : {
           Row{"ws://a:2190", {{{"a", 2190}, "/v1"}}},
           Row{"a", {{{"a", 2180}, "/v1"}}},
           Row{"127.0.0.1:80/x", {{{"127.0.0.1", 80}, "/x"}}},
           Row{"ws://a:2180/, ws://b/v1 ,c:1",
               {{{"a", 2180}, "/v1"}, {{"b", 2180}, "/v1"}, {{"c", 1}, "/v1"}}},
           Row{"ws://[::1]:2180,[fe80::1]", {{{"::1", 2180}, "/v1"}, {{"fe80::1", 2180}, "/v1"}}},
       }) {
    CAPTURE(row.text);
    const auto endpoints = parse_endpoints(row.text);
    REQUIRE(endpoints.has_value());
    CHECK(*endpoints == row.endpoints);
  }
  CHECK(Endpoint{{"::1", 2180}, "/v1"}.url() == "ws://[::1]:2180");
  CHECK(Endpoint{{"a", 2180}, "/v1"}.url() == "ws://a:2180");
}

TEST_CASE("parse_endpoints refuses empty items, other schemes and invalid ports") {
  for (const char* text : {"", ",", "a,,b", "ws://", "ws://:2180", "wss://a", "http://a",
                           "a:", "a:b", "a:65536", "a:123456", "[::1", "[::1]x:1", "a:-1"}) {
    CAPTURE(text);
    CHECK(parse_endpoints(text).has_error());
  }
}

TEST_CASE("every server is tried once without a wait, then waits double up to a limit") {
  Hosts hosts({{{"a", 1}, "/"}, {{"b", 1}, "/"}, {{"c", 1}, "/"}},
              {milliseconds(50), milliseconds(400)}, 7);
  std::set<std::string> tried;
  for (int i = 0; i < 3; ++i) {
    const Hosts::Attempt attempt = hosts.next();
    CHECK(attempt.wait == milliseconds(0));
    tried.insert(attempt.endpoint.address.host);
  }
  CHECK(tried.size() == 3);
  for (const int longest : {50, 100, 200, 400, 400, 400}) {
    for (int i = 0; i < 3; ++i) {
      const milliseconds wait = hosts.next().wait;
      CHECK(wait >= milliseconds(longest / 2));
      CHECK(wait <= milliseconds(longest));
    }
  }
  const std::string before = hosts.next().endpoint.address.host;
  hosts.succeeded();
  const Hosts::Attempt after = hosts.next();
  CHECK(after.wait == milliseconds(0));
  CHECK(after.endpoint.address.host == before);  // The others have failed.
}

// The next attempts, as the names of their hosts. Those to a host of `good` lead to a session.
std::string attempts(Hosts& hosts, std::size_t count, const std::string& good = {}) {
  std::string names;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = hosts.next().endpoint.address.host;
    names += name;
    if (good.find(name) != std::string::npos) hosts.succeeded();
  }
  return names;
}

TEST_CASE("a server whose last attempt failed is tried after all others") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Hosts hosts({{{"a", 1}, "/"}, {{"b", 1}, "/"}, {{"c", 1}, "/"}}, {}, seed);
    const std::string while_others_are_good = attempts(hosts, 9, "bc");
    CHECK(std::ranges::count(while_others_are_good, 'a') == 1);
    CHECK(attempts(hosts, 3).ends_with('a'));
  }
}

TEST_CASE("the list of the ensemble is followed, and the servers that the user named stay") {
  Hosts hosts({{{"a", 2180}, "/v1"}}, {}, 7);
  CHECK(attempts(hosts, 1, "a") == "a");
  hosts.learn({"ws://a:2180/v1", "ws://b:2180/v1", "ws://c:2180/v1", "wss://d", "0.0.0.0"});
  CHECK(hosts.size() == 3);
  const std::string all = attempts(hosts, 3);
  CHECK((all == "abc" || all == "acb"));
  CHECK(attempts(hosts, 1, "a") == "a");
  hosts.learn({"ws://e:2180/v1"});
  CHECK(attempts(hosts, 2, "e") == "ae");
  CHECK(hosts.size() == 2);
}

TEST_CASE("the server that sent the list stays until another one is tried") {
  Hosts hosts({{{"a", 2180}, "/v1"}}, {}, 7);
  hosts.learn({"b"});
  while (attempts(hosts, 1, "b") != "b") {
  }
  hosts.learn({});
  CHECK(hosts.size() == 2);
  CHECK(attempts(hosts, 2) == "ba");
  hosts.learn({});
  CHECK(hosts.size() == 1);
}

TEST_CASE("no list makes a client try more than a hundred servers besides its own") {
  Hosts hosts({{{"a", 2180}, "/v1"}}, {}, 7);
  std::vector<std::string> many;
  for (int i = 0; i < 1'000; ++i) many.push_back("s" + std::to_string(i));
  hosts.learn(many);
  CHECK(hosts.size() == 1 + Hosts::learned_max);
}

TEST_CASE("different seeds begin with different servers") {
  std::set<std::string> first;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    first.insert(Hosts({{{"a", 1}, "/"}, {{"b", 1}, "/"}, {{"c", 1}, "/"}}, {}, seed)
                     .next()
                     .endpoint.address.host);
  }
  CHECK(first.size() == 3);
}

}  // namespace
}  // namespace zabkeeper
