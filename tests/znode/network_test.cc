#include "znode/network.h"

#include <doctest/doctest.h>

namespace znode {
namespace {

TEST_CASE("networks contain their addresses, IPv4 and IPv6") {
  struct Row {
    const char* network;
    const char* address;
    bool contains;
  };
  for (const Row& row :
       {Row{"10.0.0.0/8", "10.255.0.1", true}, Row{"10.0.0.0/8", "11.0.0.0", false},
        Row{"10.0.0.1", "10.0.0.1", true}, Row{"10.0.0.1", "10.0.0.2", false},
        Row{"10.0.0.1", "::ffff:10.0.0.1", true}, Row{"::1", "::1", true},
        Row{"2001:db8::/32", "2001:db8:1::2", true}, Row{"2001:db8::/32", "2001:db9::2", false},
        Row{"10.0.0.0/8", "::1", false}, Row{"10.0.0.0/8", "unknown", false}}) {
    CAPTURE(row.network);
    CAPTURE(row.address);
    CHECK(Network::of(row.network)->contains(row.address) == row.contains);
  }
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8x", "::/129", "10", "a"}) {
    CAPTURE(text);
    CHECK_FALSE(Network::of(text));
  }
}

}  // namespace
}  // namespace znode
