#include "tools/shell/child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace shell {
namespace {

std::vector<int> inherited;  // in ascending order, without the standard descriptors

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  [[nodiscard]] int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

// A descriptor whose content is this text; -1 on an error.
Descriptor readable(const std::string& text) {
  if (text.empty()) return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Descriptor memory(::memfd_create("zab-input", MFD_CLOEXEC));
  std::string_view left = text;
  while (memory.number() >= 0 && !left.empty()) {
    const ssize_t written = ::write(memory.number(), left.data(), left.size());
    if (written < 0 && errno != EINTR) return Descriptor();
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
  if (memory.number() >= 0) ::lseek(memory.number(), 0, SEEK_SET);
  return memory;
}

std::vector<std::string> whole_environment(const std::vector<std::string>& additions) {
  const auto is_replaced = [&](std::string_view variable) {
    return std::ranges::any_of(additions, [&](const std::string& addition) {
      return variable.starts_with(std::string_view(addition).substr(0, addition.find('=') + 1));
    });
  };
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!is_replaced(*each)) all.emplace_back(*each);
  }
  all.insert(all.end(), additions.begin(), additions.end());
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The values that the child needs between fork and exec, where it may not allocate memory.
struct Prepared {
  const char* file;
  char* const* arguments;
  char* const* environment;
  int input;    // -1: that of the parent
  int failure;  // gets the error number if the program cannot be executed
  Place place;
  Orphan orphan;
  pid_t parent;
  sigset_t mask;  // of signals
};

// The child calls the functions down to `become`. They call only functions that are safe in a
// signal handler, because another thread may have held any lock at the time of the fork.

void reset_signals(const sigset_t& mask) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    const bool is_ignored = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
    if (!is_ignored) ::signal(number, SIG_DFL);
  }
  // Only this program ignores these signals, not its children.
  for (const int number : {SIGPIPE, SIGXFSZ, SIGTTOU}) ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
}

void close_own_descriptors(int but) {
  int first = STDERR_FILENO + 1;
  const auto close_up_to = [&](int end) {
    if (first < end) ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(end - 1), 0);
    first = end + 1;
  };
  bool is_passed = false;
  for (const int kept : inherited) {
    if (!is_passed && but < kept) {
      close_up_to(but);
      is_passed = true;
    }
    if (kept != but) close_up_to(kept);
  }
  if (!is_passed) close_up_to(but);
  ::close_range(static_cast<unsigned>(first), ~0U, 0);
}

[[noreturn]] void become(const Prepared& prepared) {
  if (prepared.place != Place::same_group) ::setpgid(0, 0);
  if (prepared.place == Place::foreground) ::tcsetpgrp(STDIN_FILENO, ::getpid());
  if (prepared.input >= 0) ::dup2(prepared.input, STDIN_FILENO);
  close_own_descriptors(prepared.failure);
  bool is_orphan = false;
  if (prepared.orphan == Orphan::is_killed) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    is_orphan = ::getppid() != prepared.parent;
  }
  reset_signals(prepared.mask);
  if (!is_orphan) ::execve(prepared.file, prepared.arguments, prepared.environment);
  const int error = errno;
  (void)!::write(prepared.failure, &error, sizeof error);
  ::_exit(exit_not_found);
}

// Waits until the child executes its program, or fails before. Returns 0 or the error number.
int failure_of(int descriptor) {
  int error = 0;
  ssize_t size = 0;
  do {
    size = ::read(descriptor, &error, sizeof error);
  } while (size < 0 && errno == EINTR);
  return size == sizeof error ? error : 0;
}

bool is_executable_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

CannotRun::CannotRun(const std::string& program, int error_number)
    : std::runtime_error(
          program + ": " +
          (error_number == ENOENT ? "command not found" : std::strerror(error_number))),
      exit_code_(error_number == ENOENT ? exit_not_found : exit_not_executable) {}

void remember_inherited_descriptors() {
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return;
  inherited.clear();
  while (const dirent* entry = ::readdir(directory)) {
    const int number = std::atoi(entry->d_name);
    if (number > STDERR_FILENO && number != ::dirfd(directory)) inherited.push_back(number);
  }
  ::closedir(directory);
  std::ranges::sort(inherited);
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), F_OK) != 0) throw CannotRun(name, errno);
    if (!is_executable_file(name)) throw CannotRun(name, EACCES);
    return name;
  }
  const char* const variable = std::getenv("PATH");
  std::string_view left = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
  int error = ENOENT;
  for (bool is_last = name.empty(); !is_last;) {
    const std::size_t end = left.find(':');
    is_last = end == std::string_view::npos;
    const std::string_view directory = left.substr(0, end);
    const std::string path = (directory.empty() ? "." : std::string(directory)) + '/' + name;
    if (is_executable_file(path)) return path;
    if (::access(path.c_str(), F_OK) == 0) error = EACCES;
    if (!is_last) left.remove_prefix(end + 1);
  }
  throw CannotRun(name, error);
}

Place place_for_own_group() {
  const bool has_terminal = ::isatty(STDIN_FILENO) != 0 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  if (!has_terminal) return Place::own_group;
  return ::isatty(STDOUT_FILENO) != 0 ? Place::foreground : Place::same_group;
}

Child::Child(const Launch& launch) : place_(launch.place) {
  const std::string& name = launch.words.front();
  const std::string file = find_program(name);
  std::vector<std::string> words = launch.words;
  std::vector<std::string> variables = whole_environment(launch.environment);
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> environment = pointers_to(variables);
  const Descriptor input = launch.input ? readable(*launch.input) : Descriptor();
  if (launch.input && input.number() < 0) throw CannotRun(name, errno);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw CannotRun(name, errno);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  if (place_ == Place::foreground) {
    termios terminal{};
    if (::tcgetattr(STDIN_FILENO, &terminal) == 0) terminal_ = terminal;
    // This process is in the background now. It must not stop when it writes, or when it takes the
    // terminal back.
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGTTOU, &ignore, &former_);
  }

  Prepared prepared{file.c_str(),   arguments.data(), environment.data(),
                    input.number(), writing.number(), launch.place,
                    launch.orphan,  ::getpid(),       {}};
  // A handler of this process must not run in the child.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &prepared.mask);
  pid_ = ::fork();
  if (pid_ == 0) become(prepared);
  const int error = pid_ < 0 ? errno : 0;
  ::pthread_sigmask(SIG_SETMASK, &prepared.mask, nullptr);
  if (pid_ < 0) throw CannotRun(name, error);
  writing.close();
  if (const int failure = failure_of(reading.number()); failure != 0) {
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    take_terminal_back();
    throw CannotRun(name, failure);
  }
}

Child::~Child() {
  if (pid_ < 0) return;
  if (!exit_code()) signal(SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  take_terminal_back();
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      place_(other.place_),
      exit_code_(other.exit_code_),
      terminal_(other.terminal_),
      former_(other.former_) {}

void Child::signal(int number) const {
  if (place_ == Place::same_group) {
    if (!exit_code_) ::kill(pid_, number);
  } else {
    ::kill(-pid_, number);
  }
}

void Child::signal_even_if_stopped(int number) const {
  signal(number);
  signal(SIGCONT);
}

std::optional<int> Child::exit_code() {
  if (exit_code_) return exit_code_;
  // The child stays a zombie until the destructor. So the system cannot reuse its number, or the
  // number of its group.
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  exit_code_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  return exit_code_;
}

std::optional<int> Child::stopped_by() const {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  return info.si_status;
}

void Child::take_terminal_back() {
  if (place_ != Place::foreground) return;
  ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  // A program that was killed may have left the terminal without echo.
  if (terminal_ && exit_code_ >= 128) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*terminal_);
  ::sigaction(SIGTTOU, &former_, nullptr);
}

}  // namespace shell
