#include "tools/shell/watched_paths.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/shell/http_pages.h"

namespace shell {
namespace {

std::optional<WatchedPath> path_of(const nlohmann::json& object) {
  if (!has_numbers(object, {"watches"}) || !object.contains("path") ||
      !object["path"].is_string() || !object.contains("subtree") ||
      !object["subtree"].is_boolean()) {
    return std::nullopt;
  }
  return WatchedPath{object["watches"].get<std::uint64_t>(), object["subtree"].get<bool>(),
                     object["path"].get<std::string>()};
}

// Adds the paths of a reply. Returns where the next reply begins; `from` itself if the reply is
// malformed.
std::optional<std::uint64_t> take_page(const nlohmann::json& reply, std::uint64_t from,
                                       std::size_t count, WatchesOfServer& into) {
  if (!reply.contains("paths") || !reply["paths"].is_array() || !reply.contains("next"))
    return from;
  into.watches = reply["watches"].get<std::uint64_t>();
  into.paths = reply["watchedPaths"].get<std::uint64_t>();
  for (const nlohmann::json& each : reply["paths"]) {
    const auto path = path_of(each);
    if (!path) return from;
    add_path(into.top, *path, count);
  }
  if (reply["next"].is_null()) return std::nullopt;
  if (!reply["next"].is_number_unsigned()) return from;
  return reply["next"].get<std::uint64_t>();
}

}  // namespace

wire::Result<WatchesOfServer> most_watched(
    const std::function<wire::Result<nlohmann::json>(const std::string& target)>& ask,
    std::size_t count) {
  WatchesOfServer found;
  std::uint64_t from = 0;
  for (;;) {
    const std::uint64_t least = found.top.size() < count ? 1 : found.top.back().watches;
    const auto reply =
        ask("/admin/watches?from=" + std::to_string(from) + "&least=" + std::to_string(least));
    if (reply.has_error()) return reply.error();
    const auto next = take_page(*reply, from, count, found);
    if (!next) return found;
    if (*next <= from) return wire::Error{wire::ErrorCode::system_error, not_zabkeeper};
    from = *next;
  }
}

void add_path(std::vector<WatchedPath>& top, const WatchedPath& path, std::size_t count) {
  const auto same = std::ranges::find_if(top, [&](const WatchedPath& each) {
    return each.path == path.path && each.subtree == path.subtree && each.server == path.server;
  });
  if (same != top.end()) top.erase(same);
  const auto is_before = [](const WatchedPath& a, const WatchedPath& b) {
    return std::tuple(b.watches, a.path, a.server, a.subtree) <
           std::tuple(a.watches, b.path, b.server, b.subtree);
  };
  top.insert(std::ranges::upper_bound(top, path, is_before), path);
  if (top.size() > count) top.pop_back();
}

nlohmann::json json_of(const WatchesOfServer& watches, const std::string& server) {
  nlohmann::json paths = nlohmann::json::array();
  for (const WatchedPath& path : watches.top) {
    paths.push_back({{"path", path.path}, {"subtree", path.subtree}, {"watches", path.watches}});
  }
  return {{"server", server},
          {"watches", watches.watches},
          {"watchedPaths", watches.paths},
          {"paths", std::move(paths)}};
}

}  // namespace shell
