#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The data of a quota's nodes: docs/protocol.md, Quotas.
namespace shell {

// The paths of the limits and of the present use of a node's quota.
[[nodiscard]] std::string limits_path(const std::string& path);
[[nodiscard]] std::string usage_path(const std::string& path);

// The number after `name=`, if the text has that part.
[[nodiscard]] std::optional<std::int64_t> quota_part(std::string_view text, std::string_view name);
// The text with another number in that part, or without it. Other parts stay.
[[nodiscard]] std::string with_quota_part(std::string_view text, std::string_view name,
                                          std::optional<std::int64_t> number);

inline constexpr std::string_view nodes_limit = "countHardLimit";
inline constexpr std::string_view bytes_limit = "byteHardLimit";

}  // namespace shell
