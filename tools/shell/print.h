#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "wire/records.h"
#include "wire/replies.h"

// Text for people.
namespace shell {

// "2026-01-31 12:00:00.123", in UTC.
[[nodiscard]] std::string time_text(wire::TimeMs time);

// The time of the wall clock.
[[nodiscard]] wire::TimeMs wall_clock_ms();

// "2" or "0.500".
[[nodiscard]] std::string seconds_text(std::chrono::milliseconds time);

// "1 node" or "2 nodes"; the plural of the noun may be given.
[[nodiscard]] std::string count_text(std::uint64_t count, std::string_view noun,
                                     std::string_view plural = {});

// One field a line, in ZooKeeper's order and by its names.
[[nodiscard]] std::string stat_text(const wire::Stat& stat);

// Columns as wide as their widest cell. `right` says for each column whether it is right-aligned.
using Row = std::vector<std::string>;
[[nodiscard]] std::string table(const std::vector<Row>& rows, const std::vector<bool>& right);

// A table in several parts: each is at least as wide as those before it.
class Table {
 public:
  explicit Table(std::vector<bool> right) : right_(std::move(right)), widths_(right_.size(), 0) {}
  [[nodiscard]] std::string text(const std::vector<Row>& rows);

 private:
  std::vector<bool> right_;
  std::vector<std::size_t> widths_;
};

// The cells with tabs between them, without padding.
[[nodiscard]] std::string raw_line(const Row& row);

// {"name":"a"} in a line, with the stat if there is one.
[[nodiscard]] std::string child_json(const char* field, const std::string& name,
                                     const std::optional<wire::Stat>& stat);

// The object in a line, with its end. Bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string json_line(const nlohmann::json& object);

// {"path":…,"stat":…} in a line; without `stat` if the node may not be read.
[[nodiscard]] std::string node_line(std::string_view path, const std::optional<wire::Stat>& stat);

// Data in one line: short text as it is, or quoted if it has control characters; else its size.
[[nodiscard]] std::string data_in_a_line(std::string_view data);

// "changed /app/config v2"
[[nodiscard]] std::string event_text(const wire::WatchEvent& event);

}  // namespace shell
