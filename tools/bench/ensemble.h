#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/bench/book.h"
#include "tools/bench/http.h"
#include "tools/bench/process.h"
#include "tools/bench/socket.h"

namespace bench {

// Three servers on this machine, with their data in a folder of their own.
class Ensemble {
 public:
  static constexpr std::size_t size = 3;

  Ensemble(std::filesystem::path program, std::filesystem::path directory, Book& book);
  ~Ensemble() { stop(); }

  void start(std::size_t server);
  void until_ready();
  void stop();

  [[nodiscard]] Process& process(std::size_t server) { return servers_[server].process; }
  [[nodiscard]] std::uint16_t port(std::size_t server) const {
    return servers_[server % size].web_port;
  }
  [[nodiscard]] std::size_t leader() const;
  [[nodiscard]] std::size_t follower() const { return (leader() + 1) % size; }

  // Of all servers together.
  [[nodiscard]] double cpu_micros() const;
  [[nodiscard]] double resident_bytes() const;

 private:
  struct Server {
    std::uint16_t peer_port = 0;
    std::uint16_t web_port = 0;
    Process process;
  };

  void configure();
  [[nodiscard]] std::filesystem::path file(std::size_t server, const char* ending) const {
    return directory_ / (std::to_string(server + 1) + ending);
  }

  const std::filesystem::path program_;
  const std::filesystem::path directory_;
  Book& book_;
  std::array<Server, size> servers_;
};

inline Ensemble::Ensemble(std::filesystem::path program, std::filesystem::path directory,
                          Book& book)
    : program_(std::move(program)), directory_(std::move(directory)), book_(book) {
  std::filesystem::create_directories(directory_);
  configure();
  for (std::size_t i = 0; i < size; ++i) start(i);
  until_ready();
}

// None that the system gives to outgoing connections (32768 and above): one of those could take it
// before the server does.
inline std::uint16_t free_port() {
  static int next = ::getpid() * 16;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(12'000 + next++ % 20'000);
    try {
      bound_socket(port);
      return port;
    } catch (const std::system_error&) {
      continue;  // somebody has it
    }
  }
}

inline std::string last_line(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string last;
  for (std::string line; std::getline(in, line);) last = line;
  return last;
}

inline void Ensemble::configure() {
  std::string lines;
  for (std::size_t i = 0; i < size; ++i) {
    Server& server = servers_[i];
    server.peer_port = free_port();
    server.web_port = free_port();
    lines += "server." + std::to_string(i + 1) + "=127.0.0.1:" + std::to_string(server.peer_port) +
             ';' + std::to_string(server.web_port) + '\n';
  }
  for (std::size_t i = 0; i < size; ++i) {
    std::ofstream(file(i, ".cfg"))
        << "myid=" << i + 1 << "\ndataDir=" << file(i, ".data").string() << "\nmaxClientCnxns=0\n"
        << lines;
  }
}

inline void Ensemble::start(std::size_t server) {
  servers_[server].process.start(program_, {file(server, ".cfg").string()}, file(server, ".log"));
}

inline void Ensemble::until_ready() {
  const Micros deadline = now() + seconds(30);
  for (std::size_t i = 0; i < size; ++i) {
    while (http_get(servers_[i].web_port, "/health/ready").status != 200) {
      const std::string name = "server " + std::to_string(i + 1);
      if (servers_[i].process.ended()) {
        throw std::runtime_error(name + " ended by itself: " + last_line(file(i, ".log")));
      }
      if (now() > deadline) throw std::runtime_error(name + " was not ready after 30 seconds");
      sleep_for(2000);
    }
  }
}

inline std::size_t Ensemble::leader() const {
  for (const Micros deadline = now() + seconds(10); now() < deadline; sleep_for(2000)) {
    for (std::size_t i = 0; i < size; ++i) {
      const auto status = http_get(servers_[i].web_port, "/status");
      if (status.body.find("\"role\":\"leader\"") != std::string::npos) return i;
    }
  }
  throw std::runtime_error("nobody leads");
}

inline void Ensemble::stop() {
  for (std::size_t i = 0; i < size; ++i) {
    if (servers_[i].process.ended()) {
      book_.complain("a server had ended by itself:", last_line(file(i, ".log")));
    }
    servers_[i].process.send(SIGTERM);
    servers_[i].process.send(SIGCONT);
  }
  for (Server& server : servers_) {
    if (server.process.ends_within(seconds(5))) continue;
    book_.complain("a server did not end within 5 seconds of SIGTERM");
    server.process.kill();
  }
}

inline double Ensemble::cpu_micros() const {
  double sum = 0;
  for (const Server& server : servers_) sum += server.process.cpu_micros();
  return sum;
}

inline double Ensemble::resident_bytes() const {
  double sum = 0;
  for (const Server& server : servers_) sum += server.process.resident_bytes();
  return sum;
}

}  // namespace bench
