#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <spdlog/spdlog.h>

#include "server/config/command_line.h"
#include "server/config/zookeeper_keys.h"
#include "server/logging/process_log.h"
#include "server/process/ending.h"
#include "server/process/exit_codes.h"
#include "server/process/reload.h"
#include "server/process/signals.h"
#include "server/server.h"
#include "server/startup/file_limit.h"
#include "server/startup/memory_limit.h"
#include "server/startup/room_options.h"
#include "server/version.h"
#include "wire/terminal_text.h"

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
  std::map<std::string_view, std::string> ignored;  // by reason
  for (const std::string& key : configured.ignored) {
    const server::ZooKeeperKey* known = server::find_zookeeper_key(key);
    std::string& keys = ignored[known == nullptr ? "" : known->why];
    keys += (keys.empty() ? "" : ", ") + key;
  }
  for (const auto& [why, keys] : ignored) {
    spdlog::info("keys of Apache ZooKeeper that have no use here: {} ({})", keys, why);
  }
  for (const std::string& note : configured.notes) spdlog::info("{}", note);
  if (config.servers.empty()) {
    spdlog::info("zabkeeper {}, standalone, data in {}", server::version, config.data_dir.string());
  } else {
    spdlog::info("zabkeeper {}, server {} of an ensemble of {}, data in {}", server::version,
                 config.id, config.servers.size(), config.data_dir.string());
  }
}

// Never destroyed: a thread that reads the configuration may report to it, and the end of the
// process must not wait for that thread.
boost::asio::io_context& event_loop() {
  static auto* const io = new boost::asio::io_context(1);
  return *io;
}

// Until a signal stops the server.
void run(boost::asio::io_context& io, server::Server& running, server::Signals& signals,
         server::Reload& reload) {
  signals.start({
      .stop =
          [&] {
            running.drain([&] {
              running.stop();
              io.stop();
            });
          },
      .reload = [&] { reload.begin(); },
      .report = [&] { server::log_always("the state of this server: " + running.status()); },
  });
  // From this line on the server can be stopped by a signal.
  spdlog::info("clients connect to {}", server::web_url(running.web()));
  io.run();
  // Closes the connections, and takes the last checkpoint.
  signals.stop();
  io.restart();
  io.run_for(close_timeout);
}

int refuse(const wire::Error& error, int exit_code) {
  spdlog::critical("{}", error.message);
  return exit_code;
}

int serve(const server::Configured& configured, server::Reload& reload) {
  const auto files = server::raise_file_limit(configured.config.max_connections);
  if (!files) return refuse(files.error(), server::exit_start);
  if (!files->empty()) spdlog::info("{}", *files);

  const server::MemoryLimit memory = server::memory_limit(configured.config.memory_limit_bytes);
  spdlog::info("memory: this server may use {} MiB, by {}", memory.bytes >> 20, memory.source);

  if (const auto fits = server::check_memory(configured.config, memory); !fits) {
    return refuse(fits.error(), server::exit_configuration);
  }

  boost::asio::io_context& io = event_loop();
  server::Signals signals(io);
  auto started = server::Server::start(io, configured.config, memory.bytes);
  if (!started) return refuse(started.error(), server::exit_start);
  run(io, **started, signals, reload);
  started->reset();
  spdlog::info("stopped");
  return 0;
}

// Returns the exit code.
int print(const server::PrintAndExit& say) {
  std::FILE* const stream = say.exit_code == 0 ? stdout : stderr;
  const std::string text = wire::terminal_text(say.text);
  errno = 0;
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
  if (written || say.exit_code != 0) return say.exit_code;
  std::fprintf(stderr, "zabkeeper: cannot write to standard output: %s\n", std::strerror(errno));
  return server::exit_start;
}

}  // namespace

int main(int argc, char** argv) {
  server::say_why_it_ends();
  server::open_standard_streams();
  server::allow_own_files();
  server::begin_with_usual_signals();
  const auto parse = [=] {
    return server::parse_command_line(argc, argv, environ, server::version);
  };
  const auto parsed = parse();
  if (const auto* say = std::get_if<server::PrintAndExit>(&parsed)) return print(*say);
  const server::Configured& configured = std::get<server::RunServer>(parsed).configured;

  server::start_process_log();
  spdlog::set_level(spdlog::level::from_str(configured.config.log_level));
  introduce(configured);
  // Its thread may be reading when the process ends.
  static server::Reload reload(event_loop(), configured, parse);
  const int code = serve(configured, reload);
  server::finish_process_log();
  return code;
}
