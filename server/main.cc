#include <chrono>
#include <csignal>
#include <cstdio>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>

#include "server/config/command_line.h"
#include "server/server.h"
#include "server/startup/file_limit.h"
#include "server/startup/memory_limit.h"
#include "server/startup/room_options.h"
#include "server/version.h"

// The options of jemalloc, which reads this name; MALLOC_CONF overrides them. Without its own
// thread, jemalloc gives memory back only while the program allocates: an idle server would keep
// it.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true";
}

namespace {

// For redirecting clients, and for a last checkpoint.
constexpr std::chrono::milliseconds close_timeout{5000};

void introduce(const server::Configured& configured) {
  const server::Config& config = configured.config;
  if (!configured.ignored.empty()) {
    std::string keys;
    for (const std::string& key : configured.ignored) keys += (keys.empty() ? "" : ", ") + key;
    spdlog::info("keys of Apache ZooKeeper that have no use here: {}", keys);
  }
  for (const std::string& note : configured.notes) spdlog::info("{}", note);
  if (config.servers.empty()) {
    spdlog::info("zabkeeper {}, standalone, data in {}", server::version, config.data_dir.string());
  } else {
    spdlog::info("zabkeeper {}, server {} of an ensemble of {}, data in {}", server::version,
                 config.id, config.servers.size(), config.data_dir.string());
  }
}

int serve(const server::Configured& configured) {
  const auto files = server::raise_file_limit(configured.config.max_connections);
  if (!files) {
    spdlog::critical("{}", files.error().message);
    return server::exit_start;
  }
  if (!files->empty()) spdlog::info("{}", *files);

  const server::MemoryLimit memory = server::memory_limit(configured.config.memory_limit_bytes);
  spdlog::info("memory: this server may use {} MiB, by {}", memory.bytes >> 20, memory.source);

  if (const auto fits = server::check_memory(configured.config, memory); !fits) {
    spdlog::critical("{}", fits.error().message);
    return server::exit_configuration;
  }

  boost::asio::io_context io(1);
  auto started = server::Server::start(io, configured.config, memory.bytes);
  if (!started) {
    spdlog::critical("{}", started.error().message);
    return server::exit_start;
  }
  server::Server& running = **started;

  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    spdlog::info("signal {}: shutting down", signal);
    running.drain([&] {
      running.stop();
      io.stop();
    });
  });
  // From this line on the server can be stopped by a signal.
  spdlog::info("clients connect to {}", server::web_url(running.web()));
  io.run();
  // Closes the connections, and takes the last checkpoint.
  io.restart();
  io.run_for(close_timeout);
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = server::parse_command_line(argc, argv, environ, server::version);
  if (const auto* say = std::get_if<server::PrintAndExit>(&parsed)) {
    std::fputs(say->text.c_str(), say->exit_code == 0 ? stdout : stderr);
    return say->exit_code;
  }
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-8l %v");
  const server::Configured& configured = std::get<server::RunServer>(parsed).configured;
  spdlog::set_level(spdlog::level::from_str(configured.config.log_level));
  spdlog::flush_on(spdlog::level::info);
  introduce(configured);
  return serve(configured);
}
