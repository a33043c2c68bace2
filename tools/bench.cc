// Measures an ensemble of three that it starts by itself on this machine: docs/performance.md.
// Its parts are headers, for every file at the top of tools/ is compiled as one program.

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <set>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/bench/failover.h"
#include "tools/bench/load.h"
#include "tools/bench/machine.h"
#include "tools/bench/raw_limits.h"
#include "tools/bench/report.h"
#include "tools/bench/sessions.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> workloads{"raw", "W1", "W2", "R1", "R2", "L1", "C", "E", "F", "memory"};

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

// On the disk that the sources are on, for /tmp may be no disk at all.
class Workplace {
 public:
  explicit Workplace(bool keep) : keep_(keep) {
    fs::create_directories("build/bench");
    std::string name = fs::absolute("build/bench/run-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail("mkdtemp");
    path_ = name;
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace() {
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
  Run(const Options& options, Book& book) : options_(options), book_(book), place_(options.keep) {}

  void everything() {
    if (options_.wants("memory")) in_ensemble("memory", measure_memory);
    if (options_.wants_any({"raw", "W1", "W2", "R1", "R2", "L1", "C", "E"})) {
      in_ensemble("load", [this](Ensemble& ensemble, Book&) { loads(ensemble); });
    }
    if (options_.wants("F"))
      in_ensemble("failover", [this](Ensemble& ensemble, Book& book) {
        make_keys(ensemble);
        measure_failover(ensemble, book);
      });
  }

 private:
  template <class Body>
  void in_ensemble(const std::string& name, const Body& body) {
    Ensemble ensemble(options_.server, place_.path() / name, book_);
    body(ensemble, book_);
  }

  void make_keys(Ensemble& ensemble) {
    Load load(ensemble, book_, Request::create(), 64);
    load.connect(ensemble.port(ensemble.leader()));
    load.once_each();
  }

  void loads(Ensemble& ensemble) {
    make_keys(ensemble);
    for (int round = 0; round < options_.rounds; ++round) {
      measure_others(book_);
      measure_raw_limits(book_, place_.path());
      one_outstanding(ensemble);
      if (options_.wants("W2")) many(ensemble, "W2", Request::set());
      if (options_.wants("R2")) many(ensemble, "R2", Request::get());
      if (options_.wants("C")) measure_session_creation(ensemble, book_);
    }
    if (options_.wants("E")) {
      for (const std::size_t watchers : {1000, 10'000}) fan_out(ensemble, watchers);
    }
  }

  void fan_out(Ensemble& ensemble, std::size_t watchers) {
    static constexpr int rounds = 10;
    const std::string name = "watchers." + std::to_string(watchers);
    book_.note("raw." + name, loopback_p50(watchers, rounds) / 1000);
    measure_fan_out(ensemble, book_, name, watchers, rounds);
  }

  void one_outstanding(Ensemble& ensemble) {
    const std::size_t leader = ensemble.leader();
    const std::size_t follower = ensemble.follower();
    if (options_.wants("W1")) {
      one(ensemble, "W1.leader", Request::set(), leader);
      one(ensemble, "W1.follower", Request::set(), follower);
    }
    if (options_.wants("R1")) one(ensemble, "R1", Request::get(), follower);
    if (options_.wants("L1")) {
      one(ensemble, "L1.leader", Request::get_linearizable(), leader);
      one(ensemble, "L1.follower", Request::get_linearizable(), follower);
    }
  }

  void one(Ensemble& ensemble, const std::string& name, Request request, std::size_t server) {
    Load load(ensemble, book_, std::move(request), 1);
    load.connect(ensemble.port(server));
    load.measure(name, seconds(options_.seconds));
  }

  void many(Ensemble& ensemble, const std::string& name, Request request) {
    static constexpr std::size_t connections = 64;
    static constexpr std::size_t outstanding = 1024 / connections;
    Load load(ensemble, book_, std::move(request), outstanding);
    for (std::size_t i = 0; i < connections; ++i) load.connect(ensemble.port(i));
    load.measure(name, seconds(options_.seconds));
  }

  const Options& options_;
  Book& book_;
  Workplace place_;
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
  Book book;
  std::string failure;
  const ProcessorTime begin = ProcessorTime::now();
  try {
    Run(options, book).everything();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  note_stolen(book, begin);
  options.json ? print_json(book) : print_table(book);
  print_complaints(book);
  if (failure.empty()) return book.complaints().empty() ? 0 : 1;
  std::fprintf(stderr, "bench: %s\n", failure.c_str());
  return 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  options.server = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "zabkeeper";
  CLI::App app("Measures an ensemble of three servers that it starts on this machine.");
  app.add_option("--only", options.only, "of raw W1 W2 R1 R2 L1 C E F memory, such as W1,R1")
      ->delimiter(',')
      ->check(CLI::IsMember(bench::workloads));
  app.add_option("--seconds", options.seconds, "of each measurement")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "of which the table has the median")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--server", options.server, "the program to measure")->check(CLI::ExistingFile);
  app.add_flag("--json", options.json, "instead of the table");
  app.add_flag("--keep", options.keep, "the servers' logs and data, in build/bench");
  CLI11_PARSE(app, argc, argv);
  return bench::run(options);
}
