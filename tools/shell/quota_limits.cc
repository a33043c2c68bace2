#include "tools/shell/quota_limits.h"

#include <charconv>
#include <functional>

namespace shell {
namespace {

constexpr std::string_view quota_root = "/zookeeper/quota";

std::string quota_path(const std::string& path, std::string_view name) {
  return std::string(quota_root) + (path == "/" ? "" : path) + '/' + std::string(name);
}

// Calls the function for each part, with its name.
void for_each_part(
    std::string_view text,
    const std::function<void(std::string_view part, std::string_view name)>& function) {
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(",;");
    const std::string_view part = text.substr(0, end);
    if (!part.empty()) function(part, part.substr(0, part.find('=')));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace

std::string limits_path(const std::string& path) { return quota_path(path, "zookeeper_limits"); }
std::string usage_path(const std::string& path) { return quota_path(path, "zookeeper_stats"); }

std::optional<std::int64_t> quota_part(std::string_view text, std::string_view name) {
  std::optional<std::int64_t> number;
  for_each_part(text, [&](std::string_view part, std::string_view found) {
    if (found != name || found.size() == part.size()) return;
    std::int64_t value = 0;
    const char* const end = part.data() + part.size();
    const auto read = std::from_chars(part.data() + found.size() + 1, end, value);
    if (read.ec == std::errc() && read.ptr == end) number = value;
  });
  return number;
}

std::string with_quota_part(std::string_view text, std::string_view name,
                            std::optional<std::int64_t> number) {
  std::string changed;
  const auto add = [&](std::string_view part) {
    if (!changed.empty()) changed += ',';
    changed += part;
  };
  for_each_part(text, [&](std::string_view part, std::string_view found) {
    if (found != name) add(part);
  });
  if (number) add(std::string(name) + '=' + std::to_string(*number));
  return changed;
}

}  // namespace shell
