#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server/storage/log.h"
#include "tests/support/sim_file_system.h"

// Scripts for a log: what to commit step by step, and the state that must be there after each step.
namespace storage::test {

inline const std::string directory = "/data/log";
inline constexpr zab::ServerId self{1};
inline constexpr zab::ClusterId cluster{1, 2};

// So small that a few transactions need several segments.
inline const LogOptions small{.segment_bytes = 6144, .fill_bytes = 1024};

// Builds the effects that a server commits, and the state that results from them.
class Script {
 public:
  Script() = default;
  // Continues from a recovered state.
  explicit Script(zab::Durable state) : state_(std::move(state)) {}

  void accept(std::uint32_t epoch, std::uint32_t leader);
  // Appends `count` transactions of the current epoch, of `bytes` bytes each.
  void append(std::size_t count, std::size_t bytes);
  // The current epoch becomes `epoch`. The history is truncated to `truncate_to`, and grows by
  // `count` transactions of that epoch.
  void adopt(std::uint32_t epoch, zab::Zxid truncate_to, std::size_t count, std::size_t bytes);
  void adopt(std::uint32_t epoch);  // keeps the history
  // Adopts a snapshot at `at`, and `count` transactions of that epoch after it.
  void adopt_snapshot(std::uint32_t epoch, zab::Point at, std::size_t count, std::size_t bytes);
  void found();

  // The effects of all calls since the last call of this function.
  [[nodiscard]] std::vector<zab::Persist> take_effects() { return std::exchange(effects_, {}); }
  [[nodiscard]] const zab::Durable& state() const { return state_; }

 private:
  zab::Txn next(zab::Epoch epoch, std::size_t bytes);
  void adopt(zab::AdoptHistory adopted, std::size_t count, std::size_t bytes);

  zab::Durable state_;
  std::vector<zab::Persist> effects_;
  std::uint64_t payloads_ = 0;
};

// A state as text: epochs, cluster, claim, every point of the history with its payload's size.
// Equal for equal states.
[[nodiscard]] std::string describe(const zab::Durable& durable);

// One commit of a script, and the state after it.
struct Step {
  std::vector<zab::Persist> effects;
  std::string after;
  zab::Durable state;  // the same, not as text
};

// A script with every kind of effect: three elections, a truncation, an adopted history as long as
// several segments, small and large transactions.
[[nodiscard]] std::vector<Step> full_script();

// A log of one segment: three commits, the last one of two records.
[[nodiscard]] std::vector<Step> short_script();

// The message of the error; empty if there is none.
template <typename T, typename E>
[[nodiscard]] std::string error_of(const boost::system::result<T, E>& result) {
  return result ? std::string() : result.error().message;
}

[[nodiscard]] OpenResult<OpenedLog> open(FileSystem& files, const LogOptions& options = small);
[[nodiscard]] OpenResult<OpenedLog> open(FileSystem& files, zab::Point applied,
                                         const LogOptions& options = small);

// Stages and commits the effects of `script`.
[[nodiscard]] Result<void> commit(Log& log, Script& script);

[[nodiscard]] std::string path_of(std::uint64_t sequence);
inline const std::string extent_path = std::string(directory) + "/extent";
[[nodiscard]] bool mentions(const std::string& text, const std::string& part);

// The contents of a disk, by path.
using Files = std::map<std::string, std::string>;
[[nodiscard]] Files files_of(const sim::SimFileSystem& disk);
void plant(sim::SimFileSystem& disk, const Files& files);
// Changes one bit of a segment, by default a little behind its header.
void flip_bit(sim::SimFileSystem& disk, std::uint64_t sequence,
              std::uint64_t offset = header_bytes + 20);

// The effects of a server with a damaged log that accepts a new epoch, and adopts the leader's
// history: its own one up to `from`, and two txns. Sets `then` to the state after that.
[[nodiscard]] std::vector<zab::Persist> adopt_from_leader(const zab::Durable& damaged,
                                                          zab::Zxid from, zab::Durable& then);

// Opens the log, and commits `steps` from `first` on, until something fails. Calls `prepare` after
// every second commit, and `mark` after every fifth. Returns how many commits succeeded.
std::size_t run_steps(FileSystem& files, const std::vector<Step>& steps, std::size_t first = 0);

}  // namespace storage::test
