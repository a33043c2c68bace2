// Measures an ensemble of three servers that it starts on this machine: docs/performance.md.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/bench/client_library.h"
#include "tools/bench/failover.h"
#include "tools/bench/load.h"
#include "tools/bench/machine.h"
#include "tools/bench/raw_limits.h"
#include "tools/bench/recipes.h"
#include "tools/bench/report.h"
#include "tools/bench/sessions.h"
#include "tools/standard_output.h"
#include "tools/uncaught.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> workloads{"raw",    "W1",   "W2",       "R1",     "R2",
                                      "L1",     "C",    "E",        "F",      "memory",
                                      "client", "lock", "election", "barrier"};

struct Options {
  std::vector<std::string> only;
  double seconds = 1;
  int rounds = 3;
  bool json = false;
  bool keep = false;
  fs::path server;

  [[nodiscard]] bool wants(const std::string& workload) const {
    return only.empty() || std::ranges::find(only, workload) != only.end();
  }
  [[nodiscard]] bool wants_any(std::initializer_list<const char*> some) const {
    return std::ranges::any_of(some, [this](const char* one) { return wants(one); });
  }
};

// A new directory on the disk that has the sources: /tmp may be in memory.
class WorkDirectory {
 public:
  explicit WorkDirectory(bool keep) : keep_(keep) {
    fs::create_directories("build/bench");
    std::string name = fs::absolute("build/bench/run-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw_errno("mkdtemp");
    path_ = name;
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  ~WorkDirectory() {
    std::error_code ignored;
    if (!keep_) fs::remove_all(path_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  const bool keep_;
  fs::path path_;
};

class Run {
 public:
  Run(const Options& options, Measurements& measurements)
      : options_(options), measurements_(measurements), directory_(options.keep) {}

  void measure_all() {
    if (options_.wants("memory")) in_ensemble("memory", measure_memory);
    if (options_.wants_any({"raw", "W1", "W2", "R1", "R2", "L1", "C", "E", "client", "lock",
                            "election", "barrier"})) {
      in_ensemble("load", [this](Ensemble& ensemble, Measurements&) { measure_loads(ensemble); });
    }
    if (options_.wants("F")) {
      in_ensemble("failover", [this](Ensemble& ensemble, Measurements& measurements) {
        create_keys(ensemble);
        measure_failover(ensemble, measurements);
      });
    }
  }

 private:
  template <class Body>
  void in_ensemble(const std::string& name, const Body& body) {
    Ensemble ensemble(options_.server, directory_.path() / name, measurements_);
    body(ensemble, measurements_);
  }

  void create_keys(Ensemble& ensemble) {
    Load load(ensemble, measurements_, Request::create(), 64);
    load.connect(ensemble.port(ensemble.leader()));
    load.send_every_key();
  }

  void measure_loads(Ensemble& ensemble) {
    create_keys(ensemble);
    for (int round = 0; round < options_.rounds; ++round) {
      measure_other_load(measurements_);
      measure_raw_limits(measurements_, directory_.path());
      measure_latencies(ensemble);
      if (options_.wants("W2")) measure_throughput(ensemble, "W2", Request::set());
      if (options_.wants("R2")) measure_throughput(ensemble, "R2", Request::get());
      const Micros time = seconds(options_.seconds);
      if (options_.wants("client")) measure_client_library(ensemble, measurements_, time);
      if (options_.wants("lock")) {
        for (const std::size_t contenders : {1, 10, 50}) {
          measure_locks(ensemble, measurements_, contenders, time);
        }
      }
      if (options_.wants("election")) measure_resignations(ensemble, measurements_, time);
      if (options_.wants("barrier")) {
        for (const std::size_t participants : {50, 100, 200}) {
          measure_double_barrier(ensemble, measurements_, participants, time);
        }
      }
      if (options_.wants("C")) measure_session_creation(ensemble, measurements_);
    }
    if (options_.wants("E")) {
      for (const std::size_t watchers : {1000, 10'000}) fan_out(ensemble, watchers);
    }
  }

  void fan_out(Ensemble& ensemble, std::size_t watchers) {
    static constexpr int rounds = 10;
    const std::string name = "watchers." + std::to_string(watchers);
    measurements_.record("raw." + name, loopback_p50(watchers, rounds) / 1000);
    measure_fan_out(ensemble, measurements_, name, watchers, rounds);
  }

  void measure_latencies(Ensemble& ensemble) {
    const std::size_t leader = ensemble.leader();
    const std::size_t follower = ensemble.follower();
    // Lock cycles are compared with it.
    if (options_.wants_any({"W1", "lock", "election"})) {
      measure_latency(ensemble, "W1.leader", Request::set(), leader);
      measure_latency(ensemble, "W1.follower", Request::set(), follower);
    }
    if (options_.wants_any({"R1", "client"}))
      measure_latency(ensemble, "R1", Request::get(), follower);
    if (options_.wants("L1")) {
      measure_latency(ensemble, "L1.leader", Request::get_linearizable(), leader);
      measure_latency(ensemble, "L1.follower", Request::get_linearizable(), follower);
    }
  }

  void measure_latency(Ensemble& ensemble, const std::string& name, Request request,
                       std::size_t server) {
    Load load(ensemble, measurements_, std::move(request), 1);
    load.connect(ensemble.port(server));
    load.measure(name, seconds(options_.seconds));
  }

  void measure_throughput(Ensemble& ensemble, const std::string& name, Request request) {
    static constexpr std::size_t connections = 64;
    static constexpr std::size_t outstanding = 1024 / connections;
    Load load(ensemble, measurements_, std::move(request), outstanding);
    for (std::size_t i = 0; i < connections; ++i) load.connect(ensemble.port(i));
    load.measure(name, seconds(options_.seconds));
  }

  const Options& options_;
  Measurements& measurements_;
  WorkDirectory directory_;
};

void allow_many_sockets() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

int run(const Options& options) {
  allow_many_sockets();
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int) { interrupted = 1; });
  }
  Measurements measurements;
  std::string failure;
  const ProcessorTime begin = ProcessorTime::now();
  try {
    Run(options, measurements).measure_all();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  measure_stolen_time(measurements, begin);
  options.json ? print_json(measurements) : print_table(measurements);
  print_warnings(measurements);
  if (failure.empty()) return measurements.warnings().empty() ? 0 : 1;
  std::fprintf(stderr, "bench: %s\n", failure.c_str());
  return 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  tools::end_with_words("bench", 1);
  tools::prepare_standard_output();
  bench::Options options;
  options.server = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "zabkeeper";
  CLI::App app("Measures an ensemble of three servers that it starts on this machine.");
  app.add_option(
         "--only", options.only,
         "only these of raw W1 W2 R1 R2 L1 C E F memory client lock election barrier, e.g. W1,R1")
      ->delimiter(',')
      ->check(CLI::IsMember(bench::workloads));
  app.add_option("--seconds", options.seconds, "the length of each measurement")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "how often to measure; the table shows the median")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--server", options.server, "the program to measure")->check(CLI::ExistingFile);
  app.add_flag("--json", options.json, "print JSON instead of the table");
  app.add_flag("--keep", options.keep, "keep the servers' logs and data in build/bench");
  int code = 0;
  try {
    app.parse(argc, argv);
    code = bench::run(options);
  } catch (const CLI::ParseError& error) {
    code = app.exit(error);  // prints the help, or what is wrong
  }
  return tools::finish_standard_output("bench", code, 1);
}
