#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include "server/storage/files/posix_file_system.h"
#include "server/storage/log.h"

// Compares the log with the cheapest durable write: pwrite and fdatasync on a file that was filled
// with zeros before. The two are measured in turn, so that they see the same disk. Set TMPDIR to a
// directory on the disk to be measured.
//
// A log is in one of three phases:
// - first: the file of the first segment grows;
// - ahead: when a segment is half full, the file of the next one is made;
// - steady: checkpoints are taken, and purged segments are recycled. A server is in this phase from
//   a few minutes after its start on.
enum class Phase { first, ahead, steady };
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t record_bytes = 1024;
constexpr std::size_t checkpoint_bytes = std::size_t{48} << 20;  // of log between two checkpoints

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "log_bench: %s\n", why.c_str());
  std::abort();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "zabkeeper-bench-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) fail("no temporary directory");
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class BareFile {
 public:
  BareFile(const std::string& path, std::size_t bytes) : bytes_(bytes) {
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::string zeros(1 << 20, '\0');
    for (std::size_t at = 0; at < bytes_; at += zeros.size()) write(zeros, at);
    sync();
  }
  BareFile(const BareFile&) = delete;
  BareFile& operator=(const BareFile&) = delete;
  ~BareFile() { ::close(file_); }

  void append(const std::string& bytes) {
    if (at_ + bytes.size() > bytes_) at_ = 0;
    write(bytes, at_);
    at_ += bytes.size();
    sync();
  }

 private:
  void write(const std::string& bytes, std::size_t at) const {
    const ssize_t done = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (done != static_cast<ssize_t>(bytes.size())) fail("pwrite");
  }
  void sync() const {
    if (::fdatasync(file_) != 0) fail("fdatasync");
  }

  int file_ = -1;
  std::size_t bytes_;
  std::size_t at_ = 0;
};

class Appender {
 public:
  explicit Appender(const std::string& directory)
      : opened_(open(directory)), payload_(std::make_shared<const wire::Bytes>(record_bytes, 'x')) {
    opened_.log.stage({zab::AcceptEpoch{{1}, {1}}, zab::AdoptHistory{{1}, {}, {}, false, {}}});
    check(opened_.log.commit());
  }

  // Effects with `count` txns. Pass them to `append` before the next call.
  std::vector<zab::Persist> make(std::size_t count) {
    std::vector<zab::Persist> effects;
    effects.reserve(count);
    while (count-- > 0) {
      zab::Txn txn = zab::Txn::after(last_, {{1}, last_.zxid.counter + 1}, payload_);
      last_ = txn.point();
      effects.emplace_back(zab::Append{std::move(txn)});
    }
    return effects;
  }
  void append(std::vector<zab::Persist> effects) {
    bytes_ += effects.size() * record_bytes;
    opened_.log.stage(std::move(effects));
    check(opened_.log.commit());
  }
  void prepare() { check(opened_.log.prepare()); }
  // Purges as after a checkpoint at the end of the log, if it is time for one.
  void purge() {
    if (bytes_ < checkpoint_bytes) return;
    bytes_ = 0;
    check(opened_.log.purge(last_, 0));
  }
  // The log writer has another thread do this.
  void make_spare() {
    if (const auto work = opened_.log.spare_work()) opened_.log.spare_made(*work, work->run());
  }
  [[nodiscard]] std::uint64_t segment() const { return opened_.log.end().sequence; }

 private:
  storage::OpenedLog open(const std::string& directory) {
    auto opened = storage::Log::open(files_, directory, {1}, {});
    if (!opened) fail(opened.error().message);
    return std::move(*opened);
  }
  static void check(const storage::Result<void>& done) {
    if (!done) fail(done.error().message);
  }

  storage::PosixFileSystem files_;
  storage::OpenedLog opened_;
  zab::Payload payload_;
  zab::Point last_;
  std::size_t bytes_ = 0;  // since the last checkpoint
};

// In microseconds.
class Times {
 public:
  template <typename F>
  void time(F&& f) {
    const auto start = Clock::now();
    f();
    took_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  double quantile(double q) {
    std::ranges::sort(took_);
    return took_.empty()
               ? 0
               : took_[static_cast<std::size_t>(q * static_cast<double>(took_.size() - 1))];
  }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (const double one : took_) sum += one;
    return sum / static_cast<double>(std::max<std::size_t>(took_.size(), 1));
  }

 private:
  std::vector<double> took_;
};

// One iteration is one commit of `range(0)` records of 1 KiB, and one bare write of as many bytes.
// `log` is the cost of the commit, and of all other work of a server's log thread: `prepare`, a
// purge, the beginning of a segment. Another thread makes spare files: that is not counted.
void log_and_bare_write(benchmark::State& state, Phase phase) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  const TemporaryDirectory directory;
  BareFile bare(directory.path() + "/bare", 64u << 20);
  Appender log(directory.path() + "/log");
  const std::string bytes(batch * record_bytes, 'x');
  // Runs up to the phase to be measured.
  const std::uint64_t begin = phase == Phase::first ? 1 : phase == Phase::ahead ? 2 : 5;
  while (log.segment() < begin) {
    log.append(log.make(1000));
    log.prepare();
    log.make_spare();
    if (phase == Phase::steady) log.purge();
  }
  Times bare_took;
  Times commit_took;
  Times log_took;
  for (auto _ : state) {
    std::vector<zab::Persist> effects = log.make(batch);
    bare_took.time([&] { bare.append(bytes); });
    log_took.time([&] {
      commit_took.time([&] { log.append(std::move(effects)); });
      log.prepare();
      if (phase == Phase::steady) log.purge();
    });
    if (phase == Phase::ahead) log.make_spare();
  }
  state.counters["bare_p50_us"] = bare_took.quantile(0.5);
  state.counters["commit_p50_us"] = commit_took.quantile(0.5);
  state.counters["bare_p99_us"] = bare_took.quantile(0.99);
  state.counters["commit_p99_us"] = commit_took.quantile(0.99);
  state.counters["bare_mean_us"] = bare_took.mean();
  state.counters["log_mean_us"] = log_took.mean();
  state.counters["ratio_p50"] = commit_took.quantile(0.5) / bare_took.quantile(0.5);
  state.counters["ratio_mean"] = log_took.mean() / bare_took.mean();
  state.counters["of_raw_throughput_%"] = 100 * bare_took.mean() / log_took.mean();
  state.counters["records/s"] = static_cast<double>(batch) / log_took.mean() * 1e6;
}
constexpr auto batches = [](benchmark::internal::Benchmark* one) {
  one->Arg(1)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);
};
BENCHMARK_CAPTURE(log_and_bare_write, first, Phase::first)->Apply(batches);
BENCHMARK_CAPTURE(log_and_bare_write, ahead, Phase::ahead)->Apply(batches);
BENCHMARK_CAPTURE(log_and_bare_write, steady, Phase::steady)->Apply(batches);

// From an empty directory to the first commit.
void first_start(benchmark::State& state) {
  const TemporaryDirectory directory;
  int number = 0;
  for (auto _ : state) Appender log(directory.path() + "/log" + std::to_string(++number));
}
BENCHMARK(first_start)->Unit(benchmark::kMillisecond);

}  // namespace
