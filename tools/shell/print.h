#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/records.h"
#include "wire/replies.h"

// Text for people.
namespace shell {

// "2026-01-31 12:00:00.123", in UTC.
[[nodiscard]] std::string time_text(wire::TimeMs time);

// One field a line, in ZooKeeper's order and by its names.
[[nodiscard]] std::string stat_text(const wire::Stat& stat);

// Columns as wide as their widest cell. `right` says for each column whether it is right-aligned.
using Row = std::vector<std::string>;
[[nodiscard]] std::string table(const std::vector<Row>& rows, const std::vector<bool>& right);

// Data in one line: short text as it is, or quoted if it has control characters; else its size.
[[nodiscard]] std::string data_in_a_line(std::string_view data);

// "changed /app/config v2"
[[nodiscard]] std::string event_text(const wire::WatchEvent& event);

}  // namespace shell
