#include "server/config/environment.h"

#include <algorithm>
#include <string_view>

#include "server/config/config_keys.h"
#include "server/config/key_names.h"
#include "server/config/text.h"
#include "server/config/zookeeper_keys.h"

namespace server {
namespace {

constexpr std::string_view prefix = "ZABKEEPER_";

// "tcp://10.0.0.1:2180", as Kubernetes and the links of Docker describe a port. No key has such a
// value.
bool describes_port_of_service(std::string_view value) {
  constexpr std::string_view schemes[] = {"tcp://", "udp://", "sctp://"};
  return std::ranges::any_of(schemes, [&](auto scheme) { return value.starts_with(scheme); });
}

// The other variables of a service: ..._SERVICE_HOST, ..._PORT_2180_TCP_ADDR.
bool describes_service(std::string_view name, std::string_view value) {
  if (describes_port_of_service(value)) return true;
  if (name.find("_SERVICE_HOST") != name.npos || name.find("_SERVICE_PORT") != name.npos) {
    return true;
  }
  constexpr std::string_view endings[] = {"_TCP_ADDR",  "_TCP_PORT",  "_TCP_PROTO",
                                          "_UDP_ADDR",  "_UDP_PORT",  "_UDP_PROTO",
                                          "_SCTP_ADDR", "_SCTP_PORT", "_SCTP_PROTO"};
  return std::ranges::any_of(endings, [&](auto ending) { return name.ends_with(ending); });
}

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

// The key of ZooKeeper that the variable sets and that can ask for security; empty if there is
// none. SASL_AUTH and SASLAUTH are the same, because a missed one would be served without.
std::string security_key_of(const std::string& variable) {
  const std::string wanted = without_underscores(variable);
  for (const ZooKeeperKey& key : zookeeper_keys()) {
    if (key.harmless.empty()) continue;
    if (without_underscores(environment_name(key.name)) == wanted) return std::string(key.name);
  }
  return {};
}

// The key that the variable sets; empty if it sets none.
std::string key_of(const std::string& variable) {
  for (const Key& key : config_keys()) {
    if (!key.is_numbered()) {
      if (environment_name(key.name) == variable) return std::string(key.name);
      continue;
    }
    const std::string_view family = key.family();
    const std::string its_prefix = environment_name(family);
    if (!variable.starts_with(its_prefix)) continue;
    const std::string numbered = std::string(family) + variable.substr(its_prefix.size());
    if (find_key(numbered) == &key) return numbered;
  }
  return security_key_of(variable);
}

void add_to(std::string& list, const std::string& name) {
  list += (list.empty() ? "" : ", ") + name;
}

}  // namespace

EnvironmentSettings read_environment(const char* const* environment) {
  EnvironmentSettings found;
  std::string of_services;
  std::string unknown;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    if (!variable.starts_with(prefix)) continue;
    const std::string name(variable.substr(0, variable.find('=')));
    const std::string value(trimmed(variable.substr(std::min(name.size() + 1, variable.size()))));
    const std::string key = key_of(name);
    if (!key.empty() && !describes_port_of_service(value)) {
      found.settings[key] = {value, name};
    } else if (describes_service(name, value)) {
      if (!key.empty()) add_to(of_services, name + "=" + value);
    } else {
      add_to(unknown, name);
    }
  }
  if (!of_services.empty()) {
    found.notes.push_back("ignored in the environment, because Kubernetes sets it for a service: " +
                          of_services);
  }
  if (!unknown.empty()) {
    found.notes.push_back("ignored in the environment, because it is no key: " + unknown);
  }
  return found;
}

}  // namespace server
