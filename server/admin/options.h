#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace server {

// The options of this room: what GET /status shows of the configuration.
struct AdminOptions {
  struct Server {
    std::uint32_t id = 0;
    std::string address;  // "host:port", for the other servers
    bool observer = false;
  };

  std::uint32_t id = 0;               // of this server
  std::vector<Server> other_servers;  // of the ensemble, by id; empty: standalone
  std::string data_dir;

  // A key of the configuration that was set.
  struct Setting {
    std::string key;
    std::string value;
    std::string source;  // "zoo.cfg:7"
  };
  std::vector<Setting> settings;  // without secrets
};

}  // namespace server
