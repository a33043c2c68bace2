#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "tests/wire/allocations.h"
#include "wire/cbor.h"
#include "wire/json.h"

namespace wire {
namespace {

constexpr std::size_t mib = 1024 * 1024;
// The default limit of a frame whose characters are all escaped.
constexpr std::size_t large = 3 * (2 * mib + 64 * 1024);

// `begin`, then as many `item` as fit, joined by `comma`, then `end`.
std::string filled(std::string_view begin, std::string_view item, std::string_view comma,
                   std::string_view end, std::size_t bytes) {
  std::string text(begin);
  text += item;
  while (text.size() + comma.size() + item.size() + end.size() <= bytes) text.append(comma) += item;
  return text += end;
}

std::string repeated(std::string_view item, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += item;
  return text;
}

struct Row {
  const char* what;
  std::string text;
  ParsedFrame::Fault fault = ParsedFrame::Fault::none;
};

void check_memory(const std::vector<Row>& rows, ParsedFrame (*parse)(std::string_view)) {
  for (const Row& row : rows) {
    CAPTURE(std::string(row.what));
    CAPTURE(row.text.size());
    ParsedFrame frame;
    const std::size_t peak = allocations::peak_of([&] { frame = parse(row.text); });
    CAPTURE(peak);
    CHECK(frame.fault == row.fault);
    CHECK(peak <= frame_memory_max(row.text.size()));
    if (row.fault == ParsedFrame::Fault::too_large) {
      CHECK(frame.requests.front().error().error.code == ErrorCode::too_large);
    }
  }
}

TEST_CASE("no frame of JSON takes more memory than 8 times its length and a constant") {
  using Fault = ParsedFrame::Fault;
  const std::string multi = filled(R"({"op":"multi","ops":[)", "{}", ",", "]}", 40'000);
  check_memory(
      {
          {"short values that are not kept", filled(R"({"x":[)", "1", ",", "]}", large),
           Fault::too_large},
          {"short values in a frame", filled("[", "1", ",", "]", large)},
          {"empty requests", filled("[", "{}", ",", "]", 45'000)},
          {"empty lists", filled("[[", "[]", ",", "]]", large), Fault::too_large},
          {"empty names", filled(R"({"x":{)", R"("":0)", ",", "}}", large), Fault::too_large},
          {"one multi of empty operations", multi},
          {"multis of empty operations", filled("[", multi, ",", "]", large), Fault::too_large},
          {"requests of values that are kept",
           filled("[", R"({"op":0,"id":0,"path":0,"data":0,"acl":[0]})", ",", "]", 700'000)},
          {"not JSON at the end", filled(R"({"x":[)", "1", ",", "]", 64 * 1024), Fault::not_json},
          {"a long string without its end", R"({"op":")" + std::string(64'000, 'x'),
           Fault::not_json},
          {"a longer string without its end", R"({"op":")" + std::string(large, 'x'),
           Fault::not_json},
      },
      json::parse_requests);
}

TEST_CASE("a legal frame of JSON fits in the memory of its length") {
  check_memory(
      {
          {"escaped data",
           R"({"op":"set","path":"/a","data":")" + repeated("\\u0001", mib) + "\"}"},
          {"data in base64",
           R"({"op":"set","path":"/a","data64":")" + repeated("AAAA", mib / 3) + "\"}"},
          {"the most requests",
           "[" + repeated(R"({"id":1,"op":"get","path":"/a"},)", 16'383) + R"({"op":"ping"}])"},
          {"the most operations",
           R"({"op":"multi","ops":[)" +
               repeated(R"({"op":"check","path":"/a","version":1},)", 16'383) +
               R"({"op":"get","path":"/"}]})"},
          {"many multis",
           "[" +
               repeated(R"({"op":"multi","ops":[)" +
                            repeated(R"({"op":"check","path":"/a","version":1},)", 999) +
                            R"({"op":"get","path":"/"}]},)",
                        20) +
               R"({"op":"ping"}])"},
      },
      json::parse_requests);
}

TEST_CASE("no frame of CBOR takes more memory than 8 times its length and a constant") {
  using Fault = ParsedFrame::Fault;
  const auto map_of = [](std::string_view name, std::string_view value) {
    return std::string("\xa1") + static_cast<char>(0x60 + name.size()) + std::string(name) +
           std::string(value);
  };
  const std::string ops = "\x9f" + repeated("\xa0", 16'000) + "\xff";
  check_memory(
      {
          {"short values that are not kept", map_of("x", "\x9f" + repeated("\x01", large) + "\xff"),
           Fault::too_large},
          {"short values in a frame", "\x9f" + repeated("\x01", large) + "\xff"},
          {"empty requests", "\x9f" + repeated("\xa0", 16'000) + "\xff"},
          {"a multi of empty operations", map_of("ops", ops)},
          {"multis of empty operations", "\x9f" + repeated(map_of("ops", ops), 100) + "\xff",
           Fault::too_large},
          {"a string in pieces",
           map_of("op", "\x7f" + repeated("\x78\x40" + std::string(64, 'x'), 30'000) + "\xff")},
          {"a string in tiny pieces", map_of("op", "\x7f" + repeated("\x61x", large / 2) + "\xff"),
           Fault::too_large},
          {"empty pieces", map_of("op", "\x7f" + repeated("\x60", large) + "\xff"),
           Fault::too_large},
      },
      cbor::parse_requests);
}

}  // namespace
}  // namespace wire
