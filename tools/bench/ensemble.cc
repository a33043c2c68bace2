#include "tools/bench/ensemble.h"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>

#include "tools/bench/clock.h"
#include "tools/bench/http.h"
#include "tools/bench/socket.h"

namespace bench {
namespace {

// A port below 32768: the system gives the ports above it to outgoing connections, which could
// bind it before the server does.
std::uint16_t free_port() {
  static int next = ::getpid() * 16;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(12'000 + next++ % 20'000);
    try {
      (void)bound_socket(port);
      return port;
    } catch (const std::system_error&) {
      continue;  // in use
    }
  }
}

std::string last_line(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string last;
  for (std::string line; std::getline(in, line);) last = line;
  return last;
}

}  // namespace

Ensemble::Ensemble(std::filesystem::path program, std::filesystem::path directory,
                   Measurements& measurements)
    : program_(std::move(program)), directory_(std::move(directory)), measurements_(measurements) {
  std::filesystem::create_directories(directory_);
  write_configurations();
  for (std::size_t i = 0; i < size; ++i) start(i);
  wait_until_ready();
}

std::filesystem::path Ensemble::file(std::size_t server, const char* ending) const {
  return directory_ / (std::to_string(server + 1) + ending);
}

void Ensemble::write_configurations() {
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
        << "maxClientSessions=0\nclientSessionsPerSecond=0\n"
        << lines;
  }
}

void Ensemble::start(std::size_t server) {
  servers_[server].process.start(program_, {file(server, ".cfg").string()}, file(server, ".log"));
}

void Ensemble::wait_until_ready() {
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

std::uint16_t Ensemble::port(std::size_t server) const { return servers_[server % size].web_port; }

std::size_t Ensemble::leader() const {
  for (const Micros deadline = now() + seconds(10); now() < deadline; sleep_for(2000)) {
    for (std::size_t i = 0; i < size; ++i) {
      const auto status = http_get(servers_[i].web_port, "/status");
      if (status.body.find("\"role\":\"leader\"") != std::string::npos) return i;
    }
  }
  throw std::runtime_error("no server was the leader within 10 seconds");
}

void Ensemble::stop() {
  for (std::size_t i = 0; i < size; ++i) {
    if (servers_[i].process.ended()) {
      measurements_.warn("a server had ended by itself:", last_line(file(i, ".log")));
    }
    servers_[i].process.send(SIGTERM);
    servers_[i].process.send(SIGCONT);
  }
  for (Server& server : servers_) {
    if (server.process.ends_within(seconds(5))) continue;
    measurements_.warn("a server did not end within 5 seconds of SIGTERM");
    server.process.kill();
  }
}

double Ensemble::cpu_micros() const {
  double sum = 0;
  for (const Server& server : servers_) sum += server.process.cpu_micros();
  return sum;
}

double Ensemble::resident_bytes() const {
  double sum = 0;
  for (const Server& server : servers_) sum += server.process.resident_bytes();
  return sum;
}

}  // namespace bench
