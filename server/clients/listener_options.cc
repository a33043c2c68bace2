#include "server/clients/listener_options.h"

#include <boost/asio/ip/host_name.hpp>

#include "server/config/config.h"

namespace server {
namespace {

GateRules gate_rules(const Config& config) {
  GateRules rules{{"localhost", config.web.host}, config.origins, config.super_digest};
  for (const ServerLine& line : config.servers) {
    rules.hosts.push_back(line.peer.host);
    rules.hosts.push_back(line.web.host);
  }
  rules.hosts.insert(rules.hosts.end(), config.hosts.begin(), config.hosts.end());
  boost::system::error_code no_name;
  if (std::string own = boost::asio::ip::host_name(no_name); !no_name && !own.empty()) {
    rules.hosts.push_back(own);
  }
  return rules;
}

}  // namespace

ListenerOptions listener_options(const Config& config) {
  ListenerOptions options;
  options.web = config.web;
  options.connections_max = config.max_connections;
  options.connections_per_address = config.max_client_connections;
  options.io_threads = config.io_threads;
  options.gate = gate_rules(config);
  options.limits.frame_bytes_max = frame_bytes_for(config.max_data_bytes);
  return options;
}

}  // namespace server
