#include "server/config/config.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "server/config/config_builder.h"
#include "server/config/config_keys.h"
#include "server/config/key_names.h"
#include "server/config/text.h"
#include "server/config/text_file.h"
#include "server/config/zookeeper_keys.h"

namespace server {
namespace {

using std::chrono::milliseconds;

std::uint32_t number_of(std::string_view key) {
  std::uint64_t number = 0;
  for (const char c : key.substr(key.rfind('.') + 1)) {
    number = std::min<std::uint64_t>(number * 10 + static_cast<std::uint64_t>(c - '0'), 65'536);
  }
  return static_cast<std::uint32_t>(number);
}

// Applies the settings to the builder. Adds to `ignored` the keys of Apache ZooKeeper that this
// server does not use.
void apply(const Settings& settings, ConfigBuilder& builder, std::vector<std::string>& ignored) {
  for (const auto& [name, setting] : settings) {
    const Key* key = find_key(name);
    if (key == nullptr) {
      if (const ZooKeeperKey* known = find_zookeeper_key(name)) {
        if (const std::string why = refusal(*known, setting.value); !why.empty()) {
          builder.add_error({name, setting}, why);
        } else {
          ignored.push_back(name);
        }
        continue;
      }
      const std::string nearest = nearest_key(name);
      builder.errors.push_back(
          setting.source + ": unknown key " + name +
          (nearest.empty() ? "; --help lists all keys" : "; did you mean " + nearest + "?"));
      continue;
    }
    const NamedSetting named{name, setting, key->is_numbered() ? number_of(name) : 0};
    if (key->is_numbered() && (named.number == 0 || named.number > 65'535)) {
      builder.add_error(named, "needs a number from 1 to 65535 in its key" +
                                   std::string(named.number == 0 ? ids_begin_at_one : ""));
    } else if (key->apply != nullptr) {
      key->apply(builder, named);
    }
  }
}

// Reads the dynamicConfigFile, if there is one. `settings` override the file. Adds the other
// settings of the file to `settings`.
void apply_dynamic_file(Settings& settings, ConfigBuilder& builder,
                        std::vector<std::string>& ignored) {
  const auto named = settings.find("dynamicConfigFile");
  if (named == settings.end()) return;
  const std::string& path = named->second.value;
  const TextFile read = read_text_file(path);
  if (!read.text) {
    builder.errors.push_back(named->second.source + ": cannot read the dynamicConfigFile " + path +
                             ": " + read.why_missing());
    return;
  }
  FileSettings file = read_settings(*read.text, path);
  std::ranges::move(file.notes, std::back_inserter(builder.notes));
  std::ranges::move(file.errors, std::back_inserter(builder.errors));
  std::erase_if(file.settings, [&](const auto& entry) { return settings.contains(entry.first); });
  apply(file.settings, builder, ignored);
  settings.merge(file.settings);
}

void resolve_containers(ConfigBuilder& builder) {
  const auto set = [](milliseconds& kept, auto zookeepers, auto own) {
    if (zookeepers) kept = milliseconds(*zookeepers);
    if (own) kept = milliseconds(*own);
  };
  set(builder.config.container_idle, builder.check_interval_ms, builder.container_idle_ms);
  set(builder.config.container_unused, builder.never_used_ms, builder.container_unused_ms);
}

void resolve_limits(ConfigBuilder& builder) {
  Config& config = builder.config;
  config.min_session_timeout =
      builder.min_session_ms ? milliseconds(*builder.min_session_ms) : 2 * config.tick_time;
  config.max_session_timeout =
      builder.max_session_ms ? milliseconds(*builder.max_session_ms) : 20 * config.tick_time;
  if (config.min_session_timeout > config.max_session_timeout) {
    builder.errors.push_back("minSessionTimeout (" +
                             std::to_string(config.min_session_timeout.count()) +
                             " ms) is more than maxSessionTimeout (" +
                             std::to_string(config.max_session_timeout.count()) + " ms)");
  }

  const auto heartbeats = [&](const char* key, std::uint64_t ticks) {
    const auto time = static_cast<std::uint64_t>(config.tick_time.count()) * ticks;
    const auto count = time / static_cast<std::uint64_t>(config.heartbeat.count());
    if (count < 2) {
      builder.errors.push_back(std::string(key) + "=" + std::to_string(ticks) + " is " +
                               std::to_string(time) + " ms (ticks of " +
                               std::to_string(config.tick_time.count()) +
                               " ms), less than two heartbeats (heartbeatMs=" +
                               std::to_string(config.heartbeat.count()) + "); set a larger value");
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
  // A reply has room for a node's data even if JSON has to escape every byte.
  const std::uint64_t reply_bytes_min = 6 * std::uint64_t{config.max_data_bytes} + 64 * 1024;
  config.max_reply_bytes = std::max<std::uint64_t>(config.max_reply_bytes, reply_bytes_min);
  if (builder.reply_bytes && *builder.reply_bytes < reply_bytes_min) {
    builder.errors.push_back("maxReplyBytes=" + std::to_string(*builder.reply_bytes) +
                             " is less than 6 times maxDataBytes and 64 KiB, " +
                             std::to_string(reply_bytes_min) +
                             ": a client could not read what it wrote; set a larger value");
  } else if (builder.reply_bytes) {
    config.max_reply_bytes = *builder.reply_bytes;
  }
  if (builder.preallocate_bytes) config.log_segment_bytes = *builder.preallocate_bytes;
  if (builder.segment_bytes) config.log_segment_bytes = *builder.segment_bytes;
}

void resolve_quorums(ConfigBuilder& builder) {
  const auto line_of = [&](const char* key, std::uint32_t number, std::uint32_t id) -> ServerLine* {
    if (const auto line = builder.servers.find(id); line != builder.servers.end())
      return &line->second;
    builder.errors.push_back(std::string(key) + "." + std::to_string(number) + " names server " +
                             std::to_string(id) + ", but there is no server." + std::to_string(id));
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
        builder.errors.push_back("server " + std::to_string(id) + " is in group." +
                                 std::to_string(other->second) + " and in group." +
                                 std::to_string(group) + "; a server can be in one group");
      }
      line->group = group;
    }
  }
  bool votes = builder.servers.empty();
  for (const auto& [id, line] : builder.servers) {
    votes = votes || (!line.observer && line.weight > 0);
    if (!builder.groups.empty() && !line.observer && !group_of.contains(id)) {
      builder.errors.push_back("server " + std::to_string(id) +
                               " votes and is in none of the groups; add it to one");
    }
  }
  if (!votes)
    builder.errors.push_back("no server can vote: every server is an observer or has weight 0");
}

void resolve_id(ConfigBuilder& builder) {
  Config& config = builder.config;
  const std::filesystem::path file = config.data_dir / "myid";
  std::string source = "myid";
  const bool uses_file = !builder.id || builder.servers.size() > 1;
  const TextFile read = read_text_file(file);
  std::error_code hidden;  // set if this user cannot enter the directory
  if (uses_file && !read.problem.empty() && std::filesystem::exists(file, hidden)) {
    builder.errors.push_back("cannot read " + file.string() + ": " + read.problem +
                             "; the file must contain only the number of this server");
    return;
  }
  if (uses_file && read.text) {
    std::string_view digits = *read.text;
    const std::size_t last = digits.find_last_not_of(" \t\r\n");
    digits = trimmed(digits.substr(0, last == digits.npos ? 0 : last + 1));
    const Setting setting{std::string(digits), file.string()};
    const std::optional<std::uint64_t> id = builder.id_number({"myid", setting});
    if (!id) return;
    if (builder.id && *builder.id != *id) {
      builder.errors.push_back("myid=" + std::to_string(*builder.id) + ", but " + file.string() +
                               " says " + std::to_string(*id) +
                               ": correct one of them, or set the dataDir of this server");
      return;
    }
    if (!builder.id) source = file.string();
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
    builder.errors.push_back(
        "the number of this server (one of " + ids + ") is not set: write it into the file " +
        file.string() + ", or set myid=" + (read.problem.empty() ? "" : " (" + read.problem + ")"));
  } else if (!builder.servers.contains(*builder.id)) {
    builder.errors.push_back(source + " says that this is server " + std::to_string(*builder.id) +
                             ", but there are server lines for " + ids + " only");
  } else {
    config.id = *builder.id;
  }
}

// A host at which clients reach the server; empty if none is known.
std::string host_for_clients(const ServerLine& line, const ConfigBuilder& builder) {
  if (!wire::is_any_address(line.peer.host)) return line.peer.host;
  for (const Address& address : line.further) {
    if (!wire::is_any_address(address.host)) return address.host;
  }
  const std::string& web = builder.config.web.host;
  const bool is_known =
      line.id == builder.config.id && builder.web_host_set && !wire::is_any_address(web);
  return is_known ? web : std::string();
}

void note_unknown_web(ConfigBuilder& builder, std::uint32_t id, const std::string& why) {
  builder.notes.push_back("clients do not learn the address of server " + std::to_string(id) +
                          ", because " + why);
}

void resolve_addresses(ConfigBuilder& builder) {
  Config& config = builder.config;
  for (const auto& [id, web] : builder.webs) {
    const auto line = builder.servers.find(id);
    if (line == builder.servers.end()) {
      builder.errors.push_back("web." + std::to_string(id) + " is set, but there is no server." +
                               std::to_string(id));
    } else {
      line->second.web = web;
    }
  }

  const auto self = builder.servers.find(config.id);
  if (self != builder.servers.end()) {
    Address& web = self->second.web;
    if (web.port != 0 && !builder.web_port_set) config.web.port = web.port;
    if (!web.host.empty() && !builder.web_host_set &&
        (wire::is_ip_address(web.host) || web.host == "localhost")) {
      config.web.host = web.host;
    }
    web.port = config.web.port;
  }

  std::map<std::pair<std::string, std::uint16_t>, std::uint32_t> taken;
  const auto claim = [&](const Address& address, std::uint32_t id) {
    const auto [other, fresh] = taken.emplace(std::pair(address.host, address.port), id);
    if (!fresh) {
      builder.errors.push_back(
          "the address " + to_string(address) + " is used twice, " +
          (other->second == id
               ? "by server " + std::to_string(id)
               : "by the servers " + std::to_string(other->second) + " and " + std::to_string(id)) +
          "; use each address once");
    }
  };
  for (auto& [id, line] : builder.servers) {
    claim(line.peer, id);
    for (const Address& address : line.further) claim(address, id);
    if (line.web.port == 0) continue;
    if (line.web.host.empty() || wire::is_any_address(line.web.host)) {
      line.web.host = host_for_clients(line, builder);
    }
    if (line.web.host.empty()) continue;
    claim(line.web, id);
  }

  // A server without a web port in its line most likely has the same web port as this server.
  for (auto& [id, line] : builder.servers) {
    if (line.web.port != 0 ? line.web.host.empty() : host_for_clients(line, builder).empty()) {
      line.web = {};
      if (builder.servers.size() == 1) continue;  // a standalone server
      note_unknown_web(builder, id,
                       "its line says " + line.peer.host + "; add web." + std::to_string(id) +
                           "=HOST:PORT with an address that clients can reach");
      continue;
    }
    if (line.web.port != 0 || config.web.port == 0) continue;
    const Address likely{host_for_clients(line, builder), config.web.port};
    if (taken.emplace(std::pair(likely.host, likely.port), id).second) {
      line.web = likely;
    } else {
      note_unknown_web(
          builder, id,
          "its web port is not known; add ;PORT to its server." + std::to_string(id) + " line");
    }
  }
}

// The addresses that this server tells its clients.
void resolve_advertised(ConfigBuilder& builder) {
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

// Without a configuration, clients of both protocols find the port that they try first.
void resolve_client_port(ConfigBuilder& builder, bool is_empty) {
  Config& config = builder.config;
  if (is_empty) config.client = {"127.0.0.1", 2181};
  if (config.client.port != 0 && !builder.client_host_set && !is_empty) {
    builder.notes.push_back("clientPort=" + std::to_string(config.client.port) +
                            " listens on every address of this machine, without TLS; set "
                            "clientPortAddress to narrow that");
  }
  if (config.read_only_mode && !builder.words_set) config.words.emplace_back("isro");
}

void resolve_servers(ConfigBuilder& builder) {
  Config& config = builder.config;
  // As in ZooKeeper, a single server line is no ensemble.
  const bool single = builder.servers.size() == 1;
  if (single && !builder.id) builder.id = builder.servers.begin()->first;
  if (!builder.servers.empty() && !single && !builder.data_dir_set) {
    builder.errors.push_back("dataDir is not set; a server of an ensemble needs it");
  }
  resolve_id(builder);
  resolve_quorums(builder);
  resolve_addresses(builder);

  const auto self = builder.servers.find(config.id);
  if (self != builder.servers.end() && builder.observer &&
      *builder.observer != self->second.observer) {
    builder.notes.push_back("peerType is ignored: the server line says that this server is " +
                            std::string(self->second.observer ? "an observer" : "a participant"));
  }
  if (single) {
    builder.notes.push_back("there is only one server line, so this server is standalone");
    builder.servers.clear();
  }
  for (const auto& [id, line] : builder.servers) config.servers.push_back(line);
  resolve_advertised(builder);

  const auto voters = std::ranges::count_if(
      config.servers, [](const ServerLine& line) { return !line.observer && line.weight > 0; });
  if (voters == 2) {
    builder.notes.push_back(
        "with two voting servers, the failure of one stops the service; three tolerate one "
        "failure");
  }
}

}  // namespace

std::string web_url(const Address& web) { return "ws://" + to_string(web) + "/v1"; }

std::variant<Configured, ConfigError> configure(Settings settings) {
  ConfigBuilder builder;
  std::vector<std::string> ignored;
  apply(settings, builder, ignored);
  apply_dynamic_file(settings, builder, ignored);
  resolve_limits(builder);
  resolve_containers(builder);
  resolve_servers(builder);
  resolve_client_port(builder, settings.empty());
  if (!builder.data_dir_set && builder.errors.empty()) {
    std::error_code unknown;  // the working directory may be gone
    const auto absolute = std::filesystem::absolute(builder.config.data_dir, unknown);
    builder.notes.push_back("dataDir is not set: the data are in " +
                            (unknown ? builder.config.data_dir : absolute).string());
  }
  if (builder.config.log_dir.empty()) builder.config.log_dir = builder.config.data_dir;

  if (!builder.errors.empty()) return ConfigError{std::move(builder.errors)};
  builder.config.shown = shown_settings(settings);
  std::ranges::sort(ignored);
  ignored.erase(std::ranges::unique(ignored).begin(), ignored.end());
  return Configured{std::move(builder.config), std::move(ignored), std::move(builder.notes),
                    std::move(settings)};
}

}  // namespace server
