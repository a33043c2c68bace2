#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "tools/bench/measurements.h"
#include "tools/bench/process.h"

namespace bench {

// Three servers on this machine, with their data in one directory. They are numbered from 0.
class Ensemble {
 public:
  static constexpr std::size_t size = 3;

  // Starts the servers and waits until they are ready. Throws std::runtime_error after 30 seconds.
  Ensemble(std::filesystem::path program, std::filesystem::path directory,
           Measurements& measurements);
  Ensemble(const Ensemble&) = delete;
  Ensemble& operator=(const Ensemble&) = delete;
  ~Ensemble() { stop(); }

  void start(std::size_t server);
  void wait_until_ready();

  [[nodiscard]] Process& process(std::size_t server) { return servers_[server].process; }
  // The port of server `server` modulo `size`.
  [[nodiscard]] std::uint16_t port(std::size_t server) const;
  // Throws std::runtime_error if there is none within 10 seconds.
  [[nodiscard]] std::size_t leader() const;
  [[nodiscard]] std::size_t follower() const { return (leader() + 1) % size; }

  // Sums over all servers.
  [[nodiscard]] double cpu_micros() const;
  [[nodiscard]] double resident_bytes() const;

 private:
  struct Server {
    std::uint16_t peer_port = 0;
    std::uint16_t web_port = 0;
    Process process;
  };

  void write_configurations();
  void stop();
  [[nodiscard]] std::filesystem::path file(std::size_t server, const char* ending) const;

  const std::filesystem::path program_;
  const std::filesystem::path directory_;
  Measurements& measurements_;
  std::array<Server, size> servers_;
};

}  // namespace bench
