#include <array>
#include <memory>
#include <ostream>
#include <stop_token>
#include <string>
#include <unistd.h>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "client-lib/leader_election.h"
#include "client-lib/lock.h"
#include "client-lib/recipes/queue.h"
#include "tools/shell/child.h"
#include "tools/shell/end_plan.h"
#include "tools/shell/inbox.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"

// The commands that run a program while they hold a lock, or lead.
namespace shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// An acquisition whose result the main thread waits for.
struct Acquiring {
  Inbox<zabkeeper::Result<zabkeeper::Hold>> result;
  boost::asio::cancellation_signal cancellation;  // used on the client's strand
};

// The data of the node: they tell people which process holds or waits.
std::string holder_text() {
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + " pid " + std::to_string(::getpid());
}

// The condition as JSON, for the field `if` of a request. The path is UTF-8: a server has it.
std::string guard_text(const wire::Condition& guard) {
  std::string text = json_line({{"path", guard.path}, {"czxid", wire::to_hex(*guard.tests.czxid)}});
  text.pop_back();
  return text;
}

std::vector<std::string> environment_of(const zabkeeper::Hold& hold) {
  return {"ZABKEEPER_LOCK_PATH=" + hold.path(),
          "ZABKEEPER_LOCK_TOKEN=" + wire::to_hex(hold.token()),
          "ZABKEEPER_LOCK_GUARD=" + guard_text(hold.guard())};
}

// Waits for a program that runs while something is held. Passes signals on to it, and ends it
// before another client can hold.
class HeldProgram {
 public:
  struct Names {
    std::string program;
    std::string path;
    std::string held;
  };

  HeldProgram(Child& child, Signals& signals, const zabkeeper::Hold& hold, Names names,
              std::ostream& err)
      : child_(child), signals_(signals), hold_(hold), names_(std::move(names)), err_(err) {}

  // Waits for the program's end.
  int wait() {
    const auto wakeup = signals_.wakeup();
    const std::stop_callback on_loss(hold_.stop_token(), [wakeup] { wakeup->wake(); });
    for (;;) {
      if (const std::optional<int> code = child_.exit_code()) return end_with(*code);
      pass_signals_on();
      look_for_stop();
      const bool is_lost = hold_.stop_token().stop_requested();
      const EndPlan::Step step = plan_.look({steady_clock::now(), hold_.deadline(), is_lost});
      if (step != EndPlan::Step::run) end(step, is_lost);
      wakeup->wait_until(plan_.next_look());
    }
  }
  // Whether the lock was lost, or was about to be lost, while the program ran.
  [[nodiscard]] bool is_lost() const { return is_ended_; }
  [[nodiscard]] std::optional<int> passed_on() const { return passed_on_; }

 private:
  void pass_signals_on() {
    while (const auto caught = signals_.next()) {
      // A program in this process's group has already got a signal of the terminal.
      if (caught->is_from_terminal && child_.place() == Place::same_group) continue;
      passed_on_ = caught->number;
      child_.signal_even_if_stopped(caught->number);
    }
  }
  // A program that Ctrl-Z has stopped would keep the lock without using it, so it is continued. A
  // program in the background that reads from the terminal cannot go on.
  void look_for_stop() {
    const std::optional<int> number = child_.stopped_by();
    if (number == SIGTSTP) {
      child_.signal(SIGCONT);
    } else if (number) {
      err_ << names_.path << ": " << names_.program << " is stopped (signal " << *number
           << ") and keeps " << names_.held << '\n';
    }
  }
  void end(EndPlan::Step step, bool is_lost) {
    if (!std::exchange(is_ended_, true)) {
      err_ << names_.path << ": " << names_.held
           << (is_lost ? " is lost" : " is about to be lost: no server answers") << "; ending "
           << names_.program << '\n';
      child_.signal_even_if_stopped(SIGTERM);
    }
    if (step == EndPlan::Step::kill) child_.signal(SIGKILL);
  }
  int end_with(int code) {
    if (!hold_) is_ended_ = true;
    // The processes that it has left must not run without the lock.
    if (is_ended_) child_.signal(SIGKILL);
    return code;
  }

  Child& child_;
  Signals& signals_;
  const zabkeeper::Hold& hold_;
  const Names names_;
  std::ostream& err_;
  EndPlan plan_;
  bool is_ended_ = false;
  std::optional<int> passed_on_;  // a signal
};

}  // namespace

bool Runner::is_script() const {
  return settings_.mode == Mode::interactive && ::isatty(STDIN_FILENO) == 0;
}

void Runner::on(const Lock& lock) {
  const std::string path = absolute(lock.path);
  (void)find_program(lock.program.front());  // fails before the lock is requested
  zabkeeper::LockOptions options;
  options.data = holder_text();
  if (!lock.limit) {
    return hold_and_run(zabkeeper::Lock(client_(), path, options),
                        {path, "the lock", lock.program, lock.timeout});
  }
  set_limit(path, *lock.limit);
  hold_and_run(zabkeeper::Semaphore(client_(), path, options),
               {path, "the place", lock.program, lock.timeout});
}

void Runner::on(const Elect& elect) {
  const std::string path = absolute(elect.path);
  if (elect.observe) return observe_leaders(path);
  (void)find_program(elect.program.front());
  const zabkeeper::LeaderElection election(client_(), path);
  hold_and_run(election.candidate(elect.value),
               {path, "the leadership", elect.program, elect.timeout});
}

// Sets the limit if the semaphore has none. Other clients may do the same meanwhile.
void Runner::set_limit(const std::string& path, std::int32_t limit) {
  constexpr int attempts_max = 10;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const auto node = client_().get(path);
    zabkeeper::Error error;
    if (node.has_error() && node.error().code != wire::ErrorCode::no_node) {
      throw Refused{node.error(), path};
    }
    if (node.has_error()) {
      zabkeeper::CreateOptions options;
      options.parents = true;
      const auto created = client_().create(path, std::to_string(limit), options);
      if (created.has_value()) return;
      error = created.error();
    } else if (node->data.empty()) {
      const auto set = client_().set(path, std::to_string(limit), node->stat.version);
      if (set.has_value()) return;
      error = set.error();
    } else {
      const auto found = zabkeeper::limit_of(node->data);
      if (found == limit) return;
      const std::string there =
          found ? "has the limit " + std::to_string(*found) + ", not " + std::to_string(limit)
                : "has data that are no limit: it is not a semaphore";
      throw Refused{{wire::ErrorCode::bad_arguments, path + ' ' + there}, path};
    }
    if (error.code != wire::ErrorCode::node_exists && error.code != wire::ErrorCode::bad_version &&
        error.code != wire::ErrorCode::no_node) {
      throw Refused{error, path, Effect::write};
    }
  }
  throw Refused{{wire::ErrorCode::bad_version, path + " changes all the time"}, path};
}

void Runner::hold_and_run(const zabkeeper::Acquirable& wanted, const Holding& holding) {
  Signals signals;
  std::optional<zabkeeper::Hold> hold = acquire(wanted, holding, signals);
  if (!hold) return;
  run_under(*hold, holding, signals);
  if (exit_code_ == exit_lost) return;
  const auto released = hold->release();
  if (released.has_error()) {
    err_ << holding.path << ": " << holding.noun
         << " is released when the session ends: " << released.error().message << '\n';
  }
}

std::optional<zabkeeper::Hold> Runner::acquire(const zabkeeper::Acquirable& wanted,
                                               const Holding& holding, Signals& signals) {
  const auto acquiring = std::make_shared<Acquiring>();
  auto handler = boost::asio::bind_cancellation_slot(
      acquiring->cancellation.slot(),
      [acquiring, wakeup = signals.wakeup()](zabkeeper::Error error, zabkeeper::Hold hold) {
        if (error) {
          acquiring->result.put(std::move(error));
        } else {
          acquiring->result.put(std::move(hold));
        }
        wakeup->wake();
      });
  const bool only_now = holding.timeout == milliseconds{0};
  if (only_now) {
    wanted.async_try_acquire(std::move(handler));
  } else {
    wanted.async_acquire_for(holding.timeout.value_or(milliseconds{0}), std::move(handler));
  }
  std::optional<Signals::Caught> caught;
  std::optional<zabkeeper::Result<zabkeeper::Hold>> result;
  while (!(result = acquiring->result.take({}))) {
    if (!caught && (caught = signals.next())) {
      boost::asio::post(client_().get_executor(), [acquiring] {
        acquiring->cancellation.emit(boost::asio::cancellation_type::terminal);
      });
    }
    signals.wakeup()->wait_until(steady_clock::time_point::max());
  }
  if (caught) {
    exit_code_ = 128 + caught->number;
    note_signal(caught->number);
    return std::nullopt;
  }
  if (result->has_value() && **result) return std::move(**result);
  if (result->has_error() && result->error().code != wire::ErrorCode::operation_timeout) {
    throw Refused{result->error(), holding.path};
  }
  const std::string when =
      only_now ? "now" : "within " + seconds_text(*holding.timeout) + " seconds";
  fail(exit_timeout, holding.path + ": not acquired " + when + "; nothing was run");
  return std::nullopt;
}

void Runner::run_under(const zabkeeper::Hold& hold, const Holding& holding, Signals& signals) {
  out_.flush();
  Launch launch{
      holding.program, environment_of(hold), {}, place_for_own_group(), Orphan::is_killed};
  if (is_script()) launch.input.emplace();
  Child child(launch);
  HeldProgram program(child, signals, hold, {holding.program.front(), holding.path, holding.noun},
                      err_);
  const int code = program.wait();
  exit_code_ = code;
  if (program.passed_on()) note_signal(*program.passed_on());
  if (program.is_lost()) {
    fail(exit_lost, holding.path + ": " + holding.noun + " was lost; " + holding.program.front() +
                        " has ended with exit code " + std::to_string(code));
  }
}

}  // namespace shell
