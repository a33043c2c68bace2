#include "znode/sibling.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace znode {
namespace {

constexpr std::string_view uuid = "6a1b2c3d-0000-4444-8888-0123456789ab";
constexpr std::string_view hex = "0123456789abcdef0123456789ABCDEF";

TEST_CASE("the name of a node has its number and its kind") {
  struct Row {
    std::string name;
    std::uint32_t number;
    std::string kind;
  };
  const std::string curator = "_c_" + std::string(uuid);
  for (const Row& row : {
           Row{"write-0000000007", 7, "write-"},
           Row{"0000000000", 0, ""},
           Row{"n0000000001", 1, "n"},
           Row{"12345678901", 2345678901u, "1"},
           Row{"x9999999999", static_cast<std::uint32_t>(9'999'999'999u), "x"},
           // The counter after 2147483647.
           Row{"lock--2147483648", 0x8000'0000u, "lock-"},
           Row{"lock--2147483647", 0x8000'0001u, "lock-"},
           Row{"-2147483648", 0x8000'0000u, ""},
           Row{"a_-0000000001", 0xffff'ffffu, "a_"},
           Row{"é-0000000001", 1, "é-"},
           Row{"锁-0000000002", 2, "锁-"},
           Row{"a-0000000001", 1, "a-"},
           Row{"Z-0000000001", 1, "Z-"},
           Row{"9-0000000001", 1, "9-"},
           // The marks of recipes.
           Row{curator + "-lock-0000000003", 3, "-lock-"},
           Row{curator + "0000000003", 3, ""},
           Row{"_c_" + std::string(uuid.substr(1)) + "-0000000003", 3,
               "_c_" + std::string(uuid.substr(1)) + "-"},
           Row{"_c_lock-0000000003", 3, "_c_lock-"},
           Row{std::string(hex) + "__lock__0000000004", 4, "__lock__"},
           Row{std::string(hex) + "-0000000004", 4, ""},
           Row{std::string(hex) + "--0000000004", 0xffff'fffcu, ""},
           Row{std::string(hex.substr(1)) + "-0000000004", 4, std::string(hex.substr(1)) + "-"},
       }) {
    CAPTURE(row.name);
    const auto sibling = sibling_of(row.name);
    REQUIRE(sibling);
    CHECK(sibling->number == row.number);
    CHECK(sibling->kind == row.kind);
  }
}

TEST_CASE("a name without ten digits at its end has no number") {
  for (const char* name : {"", "a", "123456789", "n-000000001", "n-00000000x1", "n-0000000001x",
                           "n--000000005", "n 00000000١"}) {
    CAPTURE(name);
    CHECK_FALSE(sibling_of(name));
  }
}

TEST_CASE("sequence numbers stay in order when they wrap: the shorter way around decides") {
  struct Row {
    std::uint32_t a, b;
    bool before;
  };
  for (const Row& row :
       {Row{1, 2, true}, Row{2, 1, false}, Row{5, 5, false}, Row{0x7fff'ffffu, 0x8000'0000u, true},
        Row{0xffff'ffffu, 0, true}, Row{0, 0xffff'ffffu, false}, Row{0, 0x7fff'ffffu, true},
        Row{0, 0x8000'0000u, true}, Row{0x8000'0000u, 0, true}}) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CHECK(is_before(row.a, row.b) == row.before);
  }
}

}  // namespace
}  // namespace znode
