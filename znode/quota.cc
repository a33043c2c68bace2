#include "znode/quota.h"

#include <charconv>

#include "znode/path.h"

namespace znode {
namespace {

wire::Error bad_limit(std::string_view part) {
  return {
      wire::ErrorCode::bad_arguments,
      "data: \"" + std::string(part.substr(0, 64)) +
          "\" is not a limit; limits are count=N, bytes=N, countHardLimit=N and byteHardLimit=N"};
}

// The field that `key` sets; null for an unknown key.
std::int64_t* field_of(std::string_view key, QuotaLimits& limits) {
  if (key == "count") return &limits.soft.nodes;
  if (key == "bytes") return &limits.soft.bytes;
  if (key == "countHardLimit") return &limits.hard.nodes;
  if (key == "byteHardLimit") return &limits.hard.bytes;
  return nullptr;
}

}  // namespace

wire::Result<QuotaLimits> limits_of(std::string_view text) {
  QuotaLimits limits;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find_first_of(",;"));
    text.remove_prefix(std::min(text.size(), part.size() + 1));

    const std::size_t equals = part.find('=');
    std::int64_t* field = field_of(part.substr(0, equals), limits);
    if (equals == part.npos || !field) return bad_limit(part);
    // ZooKeeper writes "bytes=5=;".
    std::string_view value = part.substr(equals + 1);
    if (value.ends_with('=')) value.remove_suffix(1);
    if (value.empty()) value = "-1";
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *field);
    if (error != std::errc() || end != value.data() + value.size() || *field < -1) {
      return bad_limit(part);
    }
  }
  return limits;
}

std::string text_of(const Usage& usage) {
  return "count=" + std::to_string(usage.nodes) + ",bytes=" + std::to_string(usage.bytes);
}

std::string limits_path(std::string_view path) {
  std::string limits(quota_path);
  if (path != "/") limits += path;
  return (limits += '/') += limits_name;
}

std::optional<std::string_view> limited_path(std::string_view path) {
  if (!is_below(path, quota_path)) return std::nullopt;
  if (is_limits(path) || is_stats(path)) path = parent_of(path);
  path.remove_prefix(quota_path.size());
  return path.empty() ? "/" : path;
}

bool is_limits(std::string_view path) {
  return is_below(path, quota_path) && name_of(path) == limits_name;
}

bool is_stats(std::string_view path) {
  return is_below(path, quota_path) && name_of(path) == stats_name;
}

}  // namespace znode
