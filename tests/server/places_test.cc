#include "server/clients/places.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using server::Places;
using PlaceKind = Places::Kind;

// Connections that note which of them were ended.
struct Port {
  explicit Port(Places::Limits limits) : places(limits) {}

  // Returns the number of the connection.
  std::size_t connect(const std::string& address) {
    const std::size_t number = open.size();
    open.emplace_back();
    open[number].emplace(places.take(address, [this, number] { ended.push_back(number); }));
    return number;
  }
  [[nodiscard]] PlaceKind kind(std::size_t number) const { return open[number]->kind(); }

  Places places;
  std::vector<std::optional<Places::Place>> open;
  std::vector<std::size_t> ended;
};

TEST_CASE("connections beyond a limit get a kept place, and a free place is used again") {
  Port port({3, 2, 10});
  const auto a1 = port.connect("a");
  const auto a2 = port.connect("a");
  const auto a3 = port.connect("a");  // beyond the limit of its address
  const auto b1 = port.connect("b");
  const auto b2 = port.connect("b");  // beyond the limit of all
  CHECK(port.kind(a1) == PlaceKind::ordinary);
  CHECK(port.kind(a2) == PlaceKind::ordinary);
  CHECK(port.kind(a3) == PlaceKind::kept);
  CHECK(port.kind(b1) == PlaceKind::ordinary);
  CHECK(port.kind(b2) == PlaceKind::kept);
  CHECK(port.places.ordinary() == 3);
  CHECK(port.places.kept() == 2);

  port.open[a1].reset();
  port.open[a3].reset();
  CHECK(port.kind(port.connect("a")) == PlaceKind::ordinary);
  CHECK(port.places.kept() == 1);
  for (auto& each : port.open) each.reset();
  CHECK(port.places.ordinary() == 0);
  CHECK(port.places.kept() == 0);
  CHECK(port.ended.empty());
}

TEST_CASE("0 means no limit") {
  Port port({0, 0, 1});
  for (int i = 0; i < 100; ++i) CHECK(port.kind(port.connect("a")) == PlaceKind::ordinary);
}

TEST_CASE("an address that has most of the kept places loses its oldest one to others") {
  Port port({1, 0, 4});
  port.connect("a");
  std::vector<std::size_t> kept;
  for (int i = 0; i < 4; ++i) kept.push_back(port.connect("a"));
  const auto health = port.connect("b");
  CHECK(port.kind(health) == PlaceKind::kept);
  CHECK(port.ended == std::vector{kept[0]});

  port.connect("c");
  CHECK(port.ended == std::vector{kept[0], kept[1]});
  // It takes a place from itself, not from b or c.
  const auto newer = port.connect("a");
  CHECK(port.ended == std::vector{kept[0], kept[1], kept[2]});
  port.connect("a");
  port.connect("a");  // b has the oldest place now
  CHECK(port.ended == std::vector{kept[0], kept[1], kept[2], kept[3], newer});
  CHECK(port.places.kept() == 4);
}

TEST_CASE("the newest connection of a greedy address gets a place") {
  Port port({1, 0, 4});
  for (int i = 0; i < 1000; ++i) port.connect("a");
  CHECK(port.places.kept() == 4);
  CHECK(port.ended.size() == 995);
  CHECK(port.ended.back() == 995);
}

TEST_CASE("a connection that was ended frees no place twice") {
  Port port({1, 0, 1});
  port.connect("a");
  const auto first = port.connect("b");
  const auto second = port.connect("c");
  CHECK(port.ended == std::vector{first});
  port.open[first].reset();
  CHECK(port.places.kept() == 1);
  port.open[second].reset();
  CHECK(port.places.kept() == 0);
}

}  // namespace
