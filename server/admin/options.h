#pragma once

#include <chrono>
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
  // For the words of ZooKeeper's operators.
  std::vector<std::string> words;  // those that are answered; "*": all
  bool read_only_mode = false;     // without a quorum, reads are served
  std::string log_dir;
  std::uint16_t client_port = 0;
  std::chrono::milliseconds tick_time{0};
  std::uint32_t max_client_connections = 0;
  std::chrono::milliseconds min_session_timeout{0};
  std::chrono::milliseconds max_session_timeout{0};
  std::vector<std::string> membership;  // a line for each server of an ensemble
};

}  // namespace server
