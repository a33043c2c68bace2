#include "server/config/config.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "server/config/config_builder.h"
#include "server/config/config_keys.h"

namespace server {
namespace {

std::optional<std::string> content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file) return std::nullopt;
  return content;
}

// Lines of a properties file, with those that end in a backslash joined to the next.
struct Line {
  std::string text;
  std::size_t number = 0;
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  bool goes_on = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));

    if (!goes_on && (line.empty() || line.front() == '#' || line.front() == '!')) continue;
    if (!goes_on) lines.push_back({{}, number});
    const std::size_t last = line.find_last_not_of('\\');
    const std::size_t backslashes = line.size() - (last == line.npos ? 0 : last + 1);
    goes_on = backslashes % 2 == 1;
    if (goes_on) line.remove_suffix(1);
    lines.back().text += line;
  }
  return lines;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::uint32_t number_of(std::string_view key) {
  std::uint64_t number = 0;
  for (const char c : key.substr(key.rfind('.') + 1)) {
    number = std::min<std::uint64_t>(number * 10 + static_cast<std::uint64_t>(c - '0'), 65'536);
  }
  return static_cast<std::uint32_t>(number);
}

void take(const Settings& settings, ConfigBuilder& builder, std::vector<std::string>& unused) {
  for (const auto& [name, setting] : settings) {
    const Key* key = find_key(name);
    if (key == nullptr) {
      if (is_ignored_key(name)) {
        unused.push_back(name);
        continue;
      }
      const std::string nearest = nearest_key(name);
      builder.complaints.push_back(
          setting.place + ": there is no key " + name +
          (nearest.empty() ? "; --help lists them all" : "; did you mean " + nearest + "?"));
      continue;
    }
    const bool numbered = key->name.ends_with(".N");
    Named named{name, setting, numbered ? number_of(name) : 0};
    if (numbered && (named.number == 0 || named.number > 65'535)) {
      builder.complain(named, "has no number from 1 to 65535 in its key");
    } else if (key->take != nullptr) {
      key->take(builder, named);
    }
  }
}

// The servers of an ensemble may stand in a file of their own.
void take_dynamic_file(const Settings& settings, ConfigBuilder& builder,
                       std::vector<std::string>& unused) {
  const auto named = settings.find("dynamicConfigFile");
  if (named == settings.end()) return;
  const std::optional<std::string> text = content_of(named->second.value);
  if (!text) {
    builder.complaints.push_back(named->second.place + ": cannot read the dynamicConfigFile " +
                                 named->second.value);
    return;
  }
  FileSettings file = read_settings(*text, named->second.value);
  std::ranges::move(file.notes, std::back_inserter(builder.notes));
  std::ranges::move(file.complaints, std::back_inserter(builder.complaints));
  std::erase_if(file.settings, [&](const auto& entry) { return settings.contains(entry.first); });
  take(file.settings, builder, unused);
}

void settle_limits(ConfigBuilder& builder) {
  Config& config = builder.config;
  config.min_session_timeout =
      builder.min_session_ms ? Milliseconds(*builder.min_session_ms) : 2 * config.tick_time;
  config.max_session_timeout =
      builder.max_session_ms ? Milliseconds(*builder.max_session_ms) : 20 * config.tick_time;
  if (config.min_session_timeout > config.max_session_timeout) {
    builder.complaints.push_back("minSessionTimeout (" +
                                 std::to_string(config.min_session_timeout.count()) +
                                 " ms) is more than maxSessionTimeout (" +
                                 std::to_string(config.max_session_timeout.count()) + " ms)");
  }

  const auto heartbeats = [&](const char* key, std::uint64_t ticks) {
    const auto time = static_cast<std::uint64_t>(config.tick_time.count()) * ticks;
    const auto count = time / static_cast<std::uint64_t>(config.heartbeat.count());
    if (count < 2) {
      builder.complaints.push_back(
          std::string(key) + "=" + std::to_string(ticks) + " ticks are " + std::to_string(time) +
          " ms: less than two heartbeats (heartbeatMs=" + std::to_string(config.heartbeat.count()) +
          ")");
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, 1'000'000'000));
  };
  if (builder.init_limit_ticks) {
    config.init_limit_heartbeats = heartbeats("initLimit", *builder.init_limit_ticks);
  }
  if (builder.sync_limit_ticks) {
    config.sync_limit_heartbeats = heartbeats("syncLimit", *builder.sync_limit_ticks);
  }

  if (builder.jute_bytes) config.max_data_bytes = static_cast<std::uint32_t>(*builder.jute_bytes);
  if (builder.data_bytes) config.max_data_bytes = static_cast<std::uint32_t>(*builder.data_bytes);
  if (builder.preallocate_bytes) config.log_segment_bytes = *builder.preallocate_bytes;
  if (builder.segment_bytes) config.log_segment_bytes = *builder.segment_bytes;
}

void settle_quorums(ConfigBuilder& builder) {
  const auto line_of = [&](const char* key, std::uint32_t number, std::uint32_t id) -> ServerLine* {
    if (const auto line = builder.servers.find(id); line != builder.servers.end())
      return &line->second;
    builder.complaints.push_back(std::string(key) + "." + std::to_string(number) +
                                 " names server " + std::to_string(id) +
                                 ", but there is no server." + std::to_string(id));
    return nullptr;
  };
  for (const auto& [id, weight] : builder.weights) {
    if (ServerLine* line = line_of("weight", id, id)) line->weight = weight;
  }

  std::map<std::uint32_t, std::uint32_t> group_of;
  for (const auto& [group, ids] : builder.groups) {
    for (const std::uint32_t id : ids) {
      ServerLine* line = line_of("group", group, id);
      if (line == nullptr) continue;
      if (const auto [other, fresh] = group_of.emplace(id, group); !fresh) {
        builder.complaints.push_back("server " + std::to_string(id) + " is in group." +
                                     std::to_string(other->second) + " and in group." +
                                     std::to_string(group) + "; it can be in one");
      }
      line->group = group;
    }
  }
  bool votes = builder.servers.empty();
  for (const auto& [id, line] : builder.servers) {
    votes = votes || (!line.observer && line.weight > 0);
    if (!builder.groups.empty() && !line.observer && !group_of.contains(id)) {
      builder.complaints.push_back("server " + std::to_string(id) +
                                   " votes and is in none of the groups; add it to one");
    }
  }
  if (!votes)
    builder.complaints.push_back("nobody can vote: every server is an observer or weighs 0");
}

void settle_id(ConfigBuilder& builder) {
  Config& config = builder.config;
  const std::filesystem::path file = config.data_dir / "myid";
  std::string place = "myid";
  const std::optional<std::string> text = content_of(file);
  if (text && (!builder.id || builder.servers.size() > 1)) {
    std::string_view digits = *text;
    const std::size_t last = digits.find_last_not_of(" \t\r\n");
    digits = trimmed(digits.substr(0, last == digits.npos ? 0 : last + 1));
    const Setting setting{std::string(digits), file.string()};
    const std::optional<std::uint64_t> id = builder.number({"myid", setting}, {1, 65'535});
    if (!id) return;
    if (builder.id && *builder.id != *id) {
      builder.complaints.push_back("myid=" + std::to_string(*builder.id) + ", but " +
                                   file.string() + " says " + std::to_string(*id) +
                                   ": one is wrong, or the data directory is another server's");
      return;
    }
    if (!builder.id) place = file.string();
    builder.id = static_cast<std::uint32_t>(*id);
  }

  if (builder.servers.empty()) {
    config.id = builder.id.value_or(1);
    return;
  }
  std::string ids;
  for (const auto& [id, line] : builder.servers)
    ids += (ids.empty() ? "" : ", ") + std::to_string(id);
  if (!builder.id) {
    builder.complaints.push_back("it is not said which server this is (" + ids +
                                 "): write its number into " + file.string() + ", or set myid=");
  } else if (!builder.servers.contains(*builder.id)) {
    builder.complaints.push_back(place + " says that this is server " +
                                 std::to_string(*builder.id) + ", but there are server lines for " +
                                 ids + " only");
  } else {
    config.id = *builder.id;
  }
}

void settle_addresses(ConfigBuilder& builder) {
  Config& config = builder.config;
  for (const auto& [id, web] : builder.webs) {
    const auto line = builder.servers.find(id);
    if (line == builder.servers.end()) {
      builder.complaints.push_back("web." + std::to_string(id) +
                                   " is set, but there is no server." + std::to_string(id));
    } else {
      line->second.web = web;
    }
  }

  const auto self = builder.servers.find(config.id);
  if (self != builder.servers.end()) {
    Address& web = self->second.web;
    if (web.port != 0 && !builder.web_port_said) config.web.port = web.port;
    if (!web.host.empty() && !builder.web_host_said &&
        (wire::is_ip_address(web.host) || web.host == "localhost")) {
      config.web.host = web.host;
    }
    web.port = config.web.port;
  }

  std::map<std::pair<std::string, std::uint16_t>, std::uint32_t> taken;
  const auto claim = [&](const Address& address, std::uint32_t id) {
    const auto [other, fresh] = taken.emplace(std::pair(address.host, address.port), id);
    if (!fresh) {
      builder.complaints.push_back(
          to_string(address) + " is used twice, " +
          (other->second == id
               ? "by server " + std::to_string(id)
               : "by the servers " + std::to_string(other->second) + " and " + std::to_string(id)) +
          "; every one needs an address of its own");
    }
  };
  for (auto& [id, line] : builder.servers) {
    claim(line.peer, id);
    if (line.web.port == 0) continue;
    if (line.web.host.empty() || wire::is_any_address(line.web.host))
      line.web.host = line.peer.host;
    claim(line.web, id);
  }

  // A server whose web port is not said most likely has the same as this one.
  for (auto& [id, line] : builder.servers) {
    if (line.web.port != 0 || config.web.port == 0) continue;
    const Address likely{line.peer.host, config.web.port};
    if (taken.emplace(std::pair(likely.host, likely.port), id).second) {
      line.web = likely;
    } else {
      builder.notes.push_back("clients are not told of server " + std::to_string(id) +
                              ": its web port is not said (add ;PORT to its line)");
    }
  }
}

// What clients are told, and what the operator should know about it.
void settle_advertised(ConfigBuilder& builder) {
  Config& config = builder.config;
  if (config.servers.empty()) {
    if (config.web.port != 0 && !wire::is_any_address(config.web.host)) {
      config.advertised.push_back(web_url(config.web));
    }
    return;
  }
  for (const ServerLine& line : config.servers) {
    if (line.web.port == 0) continue;
    config.advertised.push_back(web_url(line.web));
    if (line.id == config.id && wire::is_loopback(config.web.host) &&
        !wire::is_loopback(line.web.host)) {
      builder.notes.push_back("webPort listens on " + config.web.host +
                              " only; clients on other machines need webAddress=0.0.0.0");
    }
  }
}

void settle_servers(ConfigBuilder& builder, bool data_dir_said) {
  Config& config = builder.config;
  // As in ZooKeeper, a lone server line is no ensemble.
  const bool lone = builder.servers.size() == 1;
  if (lone && !builder.id) builder.id = builder.servers.begin()->first;
  if (!builder.servers.empty() && !lone && !data_dir_said) {
    builder.complaints.push_back("dataDir is not set; a server of an ensemble needs it");
  }
  settle_id(builder);
  settle_quorums(builder);
  settle_addresses(builder);

  const auto self = builder.servers.find(config.id);
  if (self != builder.servers.end() && builder.observer &&
      *builder.observer != self->second.observer) {
    builder.notes.push_back("peerType says otherwise, but by its server line this server is " +
                            std::string(self->second.observer ? "an observer" : "a participant"));
  }
  if (lone) {
    builder.notes.push_back("one server line only: this server is standalone");
    builder.servers.clear();
  }
  for (const auto& [id, line] : builder.servers) config.servers.push_back(line);
  settle_advertised(builder);

  const auto voters = std::ranges::count_if(
      config.servers, [](const ServerLine& line) { return !line.observer && line.weight > 0; });
  if (voters == 2) {
    builder.notes.push_back("two voting servers stop serving when either fails; three survive one");
  }
}

}  // namespace

std::string web_url(const Address& web) { return "ws://" + to_string(web) + "/v1"; }

FileSettings read_settings(std::string_view text, const std::string& place) {
  FileSettings file;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (const Line& line : lines_of(text)) {
    const std::string at = place + ":" + std::to_string(line.number);
    const std::size_t end = line.text.find_first_of("=: \t");
    std::string key = line.text.substr(0, end);
    std::string_view value = end == std::string::npos ? "" : trimmed(line.text).substr(end);
    value = trimmed(value);
    if (!value.empty() && (value.front() == '=' || value.front() == ':')) {
      value = trimmed(value.substr(1));
    } else {
      file.complaints.push_back(at + ": \"" + line.text + "\" is not key=value");
      continue;
    }
    // ZooKeeper's name for the same key as a Java property.
    if (key.starts_with("zookeeper.")) key.erase(0, std::string_view("zookeeper.").size());

    const auto [before, fresh] = file.settings.try_emplace(key, Setting{unescaped(value), at});
    if (fresh) continue;
    if (key.starts_with("server.")) {
      file.complaints.push_back(at + ": " + key + " is set twice, first at " +
                                before->second.place);
    } else {
      file.notes.push_back(at + ": " + key + " is set twice, and this line holds, not " +
                           before->second.place);
    }
    before->second = {unescaped(value), at};
  }
  return file;
}

std::variant<Configured, ConfigError> configure(const Settings& settings) {
  ConfigBuilder builder;
  std::vector<std::string> unused;
  take(settings, builder, unused);
  take_dynamic_file(settings, builder, unused);
  settle_limits(builder);
  settle_servers(builder, builder.data_dir_said);
  if (!builder.data_dir_said && builder.complaints.empty()) {
    builder.notes.push_back("dataDir is not set: data are kept in " +
                            std::filesystem::absolute(builder.config.data_dir).string());
  }
  if (builder.config.log_dir.empty()) builder.config.log_dir = builder.config.data_dir;

  if (!builder.complaints.empty()) return ConfigError{std::move(builder.complaints)};
  if (const auto port = settings.find("clientPort"); port != settings.end()) {
    builder.notes.push_back(port->second.place + ": clientPort=" + port->second.value +
                            " is for ZooKeeper's own protocol, which is not spoken here; clients "
                            "connect to webPort=" +
                            std::to_string(builder.config.web.port) + " with a WebSocket");
  }
  std::ranges::sort(unused);
  unused.erase(std::ranges::unique(unused).begin(), unused.end());
  return Configured{std::move(builder.config), std::move(unused), std::move(builder.notes)};
}

}  // namespace server
