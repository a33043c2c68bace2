#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/shell/glob.h"
#include "wire/records.h"

namespace shell {

struct WalkedNode;

struct SizeTest {
  enum class Relation : std::uint8_t { less, equal, more };

  Relation relation = Relation::equal;
  std::uint64_t bytes = 0;

  [[nodiscard]] bool matches(std::uint64_t size) const;
  bool operator==(const SizeTest&) const = default;
};

// "+10k" is more than 10 KiB, "-1M" less than 1 MiB, "5" exactly 5 bytes.
[[nodiscard]] std::optional<SizeTest> parse_size_test(std::string_view text);

// "90s", "10m", "2h", "7d" or "2w".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_age(std::string_view text);

// A session's id, in hex digits, with or without "0x".
[[nodiscard]] std::optional<wire::SessionId> parse_session(std::string_view text);

// The tests of `find`. A node matches if all tests hold that are set.
struct NodeFilter {
  std::optional<Glob> name = {};
  bool ephemeral = false;
  std::optional<wire::SessionId> owner = {};
  std::optional<std::chrono::milliseconds> older = {};  // the data were set longer ago
  std::optional<std::chrono::milliseconds> newer = {};
  std::optional<SizeTest> size = {};
  std::optional<std::string> contains = {};  // a part of the data

  // A node that may not be read matches only tests of its name.
  [[nodiscard]] bool matches(const WalkedNode& node, wire::TimeMs now) const;
};

}  // namespace shell
