#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <new>
#include <signal.h>
#include <string>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/sim/run.h"
#include "tools/uncaught.h"

// zabsim: runs seeds of the simulator. See `tools/dev sim`.
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t none = ~std::uint64_t{0};
constexpr std::size_t workers_max = 64;
// A seed takes milliseconds. One that takes this much processor time is in an endless loop.
constexpr unsigned seconds_max = 30;

// Sends SIGPROF after so much processor time, unless it is called again before.
void limit_seed() {
  const itimerval limit{{}, {seconds_max, 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
}

// The memory shared by the workers. They are processes, because a failed `ensure` ends one.
struct Shared {
  // Seeds are taken in order, so the least failed seed is the first one that fails.
  void fail(std::uint64_t seed) {
    std::uint64_t least = failed;
    while (seed < least && !failed.compare_exchange_weak(least, seed)) {
    }
  }

  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> end{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> failed{none};
  std::atomic<std::uint64_t> current[workers_max];
  std::atomic<std::uint64_t> elections{0}, crashes{0}, commits{0}, steps{0}, ticks{0}, healing{0};
  std::atomic<std::uint64_t> znodes_searched{0}, searches_given_up{0};
  std::array<std::atomic<std::uint64_t>, sim::rare_count> rare{};
  std::array<std::atomic<std::uint64_t>, sim::rare_count> rare_seeds{};  // number of seeds with it
};

void work(Shared& shared, std::size_t worker, sim::Mode mode) {
  while (shared.failed == none) {
    const std::uint64_t seed = shared.next++;
    if (seed >= shared.end) return;
    shared.current[worker] = seed;
    limit_seed();
    const sim::Outcome outcome = sim::run_seed(seed, {}, mode);
    if (outcome.violation) {
      shared.fail(seed);
      return;
    }
    shared.done += 1;
    shared.elections += outcome.totals.elections;
    shared.crashes += outcome.totals.crashes;
    shared.commits += outcome.totals.commits;
    shared.steps += outcome.totals.steps;
    shared.ticks += outcome.totals.time / sim::tick;
    shared.znodes_searched += outcome.totals.znodes_searched;
    shared.searches_given_up += outcome.totals.searches_given_up;
    for (std::size_t i = 0; i < sim::rare_count; ++i) {
      shared.rare[i] += outcome.totals.rare[i];
      shared.rare_seeds[i] += outcome.totals.rare[i] > 0 ? 1 : 0;
    }
    std::uint64_t longest = shared.healing;
    while (longest < outcome.totals.healing &&
           !shared.healing.compare_exchange_weak(longest, outcome.totals.healing)) {
    }
  }
}

void print_progress(const Shared& shared, Clock::time_point began, const char* end) {
  const std::chrono::duration<double> passed = Clock::now() - began;
  const auto n = [](const std::atomic<std::uint64_t>& value) {
    return static_cast<unsigned long long>(value.load());
  };
  std::printf(
      "%llu seeds, %.0f/s: %llu elections, %llu crashes, %llu commits, %llu steps, %llu ticks "
      "simulated; "
      "healed within %llu ticks%s",
      n(shared.done), static_cast<double>(shared.done) / std::max(passed.count(), 0.001),
      n(shared.elections), n(shared.crashes), n(shared.commits), n(shared.steps), n(shared.ticks),
      n(shared.healing) / sim::tick, end);
  std::fflush(stdout);
}

void print_searches(const Shared& shared) {
  std::printf("linearizability searched on %llu znodes, given up on %llu\n",
              static_cast<unsigned long long>(shared.znodes_searched.load()),
              static_cast<unsigned long long>(shared.searches_given_up.load()));
}

// Prints how often each rare event happened. An event that never happened is not tested.
void print_rare(const Shared& shared, sim::Mode mode) {
  std::printf("%-42s %12s %10s\n", "rare event", "times", "seeds");
  const std::size_t count =
      mode == sim::Mode::protocol ? sim::protocol_rare_count : sim::rare_count;
  for (std::size_t i = 0; i < count; ++i) {
    std::printf("%-42s %12llu %10llu%s\n", sim::name_of(static_cast<sim::Rare>(i)),
                static_cast<unsigned long long>(shared.rare[i].load()),
                static_cast<unsigned long long>(shared.rare_seeds[i].load()),
                shared.rare[i] == 0 ? "  NEVER" : "");
  }
}

// Runs a failing seed again and prints the end of its transcript. In a child process, because a
// failed `ensure` may end it, or it may not end at all.
int show(std::uint64_t seed, sim::Mode mode) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    static std::deque<std::string> last;
    const auto print_last = [](int signal) {
      for (const std::string& line : last) std::printf("%s\n", line.c_str());
      if (signal == SIGPROF) std::printf("hang: no end within %u seconds\n", seconds_max);
      std::fflush(stdout);
      _exit(1);
    };
    std::set_terminate([] {
      last.push_back("zabsim: " + tools::uncaught_words(std::current_exception()));
      std::abort();
    });
    signal(SIGABRT, print_last);
    signal(SIGPROF, print_last);
    limit_seed();
    const sim::Outcome outcome = sim::run_seed(
        seed,
        [](const std::string& line) {
          last.push_back(line);
          if (last.size() > 50) last.pop_front();
        },
        mode);
    for (const std::string& line : last) std::printf("%s\n", line.c_str());
    std::printf("%s\n", outcome.violation.value_or("no violation").c_str());
    std::fflush(stdout);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::printf("%s\n", sim::command(seed, mode).c_str());
  return 1;
}

int run_many(std::uint64_t from, std::uint64_t count, std::size_t workers, sim::Mode mode) {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    return 2;
  }
  Shared& shared = *new (memory) Shared;
  shared.next = from;
  shared.end = from + count;

  const Clock::time_point began = Clock::now();
  std::vector<pid_t> children;
  for (std::size_t i = 0; i < workers; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      work(shared, i, mode);
      _exit(0);
    }
    children.push_back(child);
  }
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  for (std::size_t running = workers; running > 0;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended == 0) {
      if (terminal) print_progress(shared, began, "\r");
      std::this_thread::sleep_for(std::chrono::milliseconds(terminal ? 200 : 5));
      continue;
    }
    if (ended < 0) break;
    running -= 1;
    if (status != 0) {
      const auto worker =
          static_cast<std::size_t>(std::ranges::find(children, ended) - children.begin());
      shared.fail(shared.current[worker]);
    }
  }
  print_progress(shared, began, "\n");
  if (mode == sim::Mode::service) print_searches(shared);
  print_rare(shared, mode);
  return shared.failed == none ? 0 : show(shared.failed, mode);
}

}  // namespace

int main(int argc, char** argv) {
  tools::end_with_words("zabsim", 2);
  CLI::App app("Runs an ensemble of peers under simulated faults.", "zabsim");
  std::uint64_t seed = none;
  std::uint64_t seeds = 0;
  std::uint64_t from = 0;
  std::size_t workers =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, workers_max);
  bool quiet = false;
  auto* one = app.add_option("--seed,seed", seed, "one seed, with its transcript");
  bool service = false;
  app.add_flag("--quiet", quiet, "no transcript");
  app.add_flag("--service", service, "the whole service, with clients, on the ensemble");
  auto* many = app.add_option("--seeds", seeds, "how many seeds to run")->excludes(one);
  app.add_option("--from", from, "the first of them")->needs(many);
  app.add_option("--jobs", workers, "how many processes")
      ->check(CLI::Range(std::size_t{1}, workers_max));
  CLI11_PARSE(app, argc, argv);

  const sim::Mode mode = service ? sim::Mode::service : sim::Mode::protocol;
  if (seeds > 0) return run_many(from, seeds, workers, mode);
  if (seed == none) {
    std::fputs(app.help().c_str(), stderr);
    return 2;
  }
  sim::Trace trace;
  if (!quiet) trace = [](const std::string& line) { std::puts(line.c_str()); };
  const sim::Outcome outcome = sim::run_seed(seed, trace, mode);
  std::printf(
      "%llu steps, %llu elections, %llu crashes, %llu commits, healed in %llu ticks; event hash "
      "%016llx\n",
      static_cast<unsigned long long>(outcome.totals.steps),
      static_cast<unsigned long long>(outcome.totals.elections),
      static_cast<unsigned long long>(outcome.totals.crashes),
      static_cast<unsigned long long>(outcome.totals.commits),
      static_cast<unsigned long long>(outcome.totals.healing / sim::tick),
      static_cast<unsigned long long>(outcome.event_hash));
  if (!outcome.violation) return 0;
  std::printf("%s\n%s\n", outcome.violation->c_str(), sim::command(seed, mode).c_str());
  return 1;
}
