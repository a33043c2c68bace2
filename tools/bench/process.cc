#include "tools/bench/process.h"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/socket.h"

namespace bench {

// True in the child.
bool Process::fork() {
  const pid_t parent = ::getpid();
  pid_ = check(::fork(), "fork");
  if (pid_ > 0) return false;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  return true;
}

void Process::start(const std::filesystem::path& program, std::vector<std::string> arguments,
                    const std::filesystem::path& log) {
  arguments.insert(arguments.begin(), program.string());
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const Descriptor output(
      check(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), "open log"));
  if (!fork()) return;
  ::setpgid(0, 0);  // Ctrl-C must reach the parent only, which stops its children in order.
  ::dup2(output.get(), STDOUT_FILENO);
  ::dup2(output.get(), STDERR_FILENO);
  ::execv(program.c_str(), pointers.data());
  ::_exit(127);
}

void Process::start(const std::function<void()>& body) {
  if (!fork()) return;
  try {
    body();
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

bool Process::ended() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ == 0;
}

bool Process::ends_within(Micros timeout) {
  for (const Micros deadline = now() + timeout; !ended() && now() < deadline;) sleep_for(1000);
  return ended();
}

void Process::send(int signal) {
  if (pid_ > 0) ::kill(pid_, signal);
}

void Process::kill() {
  if (ended()) return;
  send(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::string Process::read_proc(const char* file) const {
  std::ifstream in("/proc/" + std::to_string(pid_) + '/' + file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// proc(5): utime and stime are the fields 14 and 15; 12 and 13 after the name in brackets.
double Process::cpu_micros() const {
  const std::string stat = read_proc("stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double Process::resident_bytes() const {
  std::istringstream fields(read_proc("statm"));
  double total = 0, resident = 0;
  fields >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace bench
