#include "server/admin/operator_lists.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "wire/zxid.h"

namespace server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t sessions_looked_at_max = 250;
constexpr std::size_t paths_looked_at_max = 1000;
constexpr std::size_t paths_of_page_max = 100;

// The value of an argument, read by `parse`; `fallback` without the argument; none if it is wrong.
template <typename Value, typename Parse>
std::optional<Value> value_of(const AdminCommands::Arguments& arguments, const char* name,
                              Value fallback, const Parse& parse) {
  const auto given = arguments.find(name);
  if (given == arguments.end()) return fallback;
  return parse(given->second);
}

Answer wrong(const char* message) { return error_answer(400, "BadArguments", message); }

Json json_of(const ListedSession& session) {
  Json json = {{"session", wire::to_hex(session.id.value)},
               {"timeoutMs", session.timeout_ms},
               {"server", session.server == 0 ? Json(nullptr) : Json(session.server)},
               {"ephemerals", session.ephemerals}};
  if (session.connection) {
    json["address"] = session.connection->address;
    json["watches"] = session.connection->watches;
    json["outstanding"] = session.connection->outstanding;
  }
  return json;
}

}  // namespace

Answer sessions_answer(const Pipeline& pipeline, const AdminCommands::Arguments& arguments) {
  const auto after = value_of<std::uint64_t>(arguments, "after", 0, wire::from_hex);
  const auto at = value_of<std::uint32_t>(arguments, "at", 0, number_of<std::uint32_t>);
  if (!after) return wrong("after must be a session: 16 hexadecimal digits");
  if (!at) return wrong("at must be a server: a whole number");
  SessionPageRequest request{{*after}, std::nullopt, sessions_looked_at_max};
  if (arguments.contains("at")) request.at = *at;
  const SessionPage page = pipeline.list_sessions(request);
  Json sessions = Json::array();
  for (const ListedSession& session : page.sessions) sessions.push_back(json_of(session));
  return json_answer(200,
                     {{"sessions", std::move(sessions)},
                      {"next", page.next ? Json(wire::to_hex(page.next->value)) : Json(nullptr)}});
}

Answer watches_answer(const Pipeline& pipeline, const AdminCommands::Arguments& arguments) {
  const auto from = value_of<std::size_t>(arguments, "from", 0, number_of<std::size_t>);
  const auto least = value_of<std::size_t>(arguments, "least", 1, number_of<std::size_t>);
  if (!from) return wrong("from must be a position: a whole number");
  if (!least) return wrong("least must be a number of watches: a whole number");
  const session::Watches& watches = pipeline.replica().service().watches();
  auto page = watches.page(*from, paths_looked_at_max);
  std::erase_if(page.paths, [&](const auto& each) { return each.watches < *least; });
  const std::size_t kept = std::min(page.paths.size(), paths_of_page_max);
  const auto end_of_kept = page.paths.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(page.paths.begin(), end_of_kept, page.paths.end(),
                    [](const auto& a, const auto& b) { return a.watches > b.watches; });
  Json paths = Json::array();
  for (auto each = page.paths.begin(); each != end_of_kept; ++each) {
    const bool is_subtree = each->reach == session::Watch::Reach::subtree;
    paths.push_back({{"path", each->path}, {"subtree", is_subtree}, {"watches", each->watches}});
  }
  return json_answer(200, {{"watches", watches.size()},
                           {"watchedPaths", watches.paths()},
                           {"paths", std::move(paths)},
                           {"next", page.next ? Json(*page.next) : Json(nullptr)}});
}

Answer configuration_answer(const AdminOptions& options) {
  Json settings = Json::array();
  for (const AdminOptions::Setting& each : options.settings) {
    settings.push_back({{"key", each.key}, {"value", each.value}, {"source", each.source}});
  }
  return json_answer(200, {{"settings", std::move(settings)}});
}

}  // namespace server
