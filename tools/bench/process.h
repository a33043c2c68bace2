#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tools/bench/clock.h"

namespace bench {

// A child process. It is killed with this object, and with this program.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { kill(); }

  // Runs a program whose output is appended to `log`.
  void start(const std::filesystem::path& program, std::vector<std::string> arguments,
             const std::filesystem::path& log);
  // Runs a function of this program. Its exception is the exit status 1.
  void start(const std::function<void()>& body);

  // Whether it has ended, or was never started.
  bool ended();
  bool ends_within(Micros timeout);
  void send(int signal);
  void kill();

  [[nodiscard]] double cpu_micros() const;
  [[nodiscard]] double resident_bytes() const;

 private:
  bool fork();
  [[nodiscard]] std::string read_proc(const char* file) const;

  pid_t pid_ = 0;
};

}  // namespace bench
