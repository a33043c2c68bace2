#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/storage/log.h"
#include "tests/support/sim_file_system.h"

// A log's life as the tests tell it: steps that stage something, and what must be there after each.
namespace storage::test {

inline const std::string directory = "/data/log";
inline constexpr zab::ServerId self{1};
inline constexpr zab::ClusterId cluster{1, 2};

// So small that a handful of transactions need several segments.
inline constexpr LogOptions small{.segment_bytes = 6144, .fill_bytes = 1024};

// Builds the effects of a server's life, and the state they add up to.
class Life {
 public:
  Life() = default;
  // Goes on with what was recovered.
  explicit Life(zab::Durable state) : state_(std::move(state)) {}

  void accept(std::uint32_t epoch, std::uint32_t leader);
  // Appends `count` transactions of the current epoch, of so many bytes each.
  void append(std::size_t count, std::size_t bytes);
  // The current epoch becomes `epoch`; the history is cut after `truncate_to`, and grows by `count`
  // transactions of that epoch.
  void adopt(std::uint32_t epoch, zab::Zxid truncate_to, std::size_t count, std::size_t bytes);
  void adopt(std::uint32_t epoch);  // the history as it is
  // A snapshot at `at`, and `count` transactions of that epoch after it.
  void adopt_snapshot(std::uint32_t epoch, zab::Point at, std::size_t count, std::size_t bytes);
  void found();

  // What the calls since the last one add up to.
  [[nodiscard]] std::vector<zab::Persist> take() { return std::exchange(effects_, {}); }
  [[nodiscard]] const zab::Durable& state() const { return state_; }

 private:
  zab::Txn next(zab::Epoch epoch, std::size_t bytes);
  void adopt(zab::AdoptHistory adopted, std::size_t count, std::size_t bytes);

  zab::Durable state_;
  std::vector<zab::Persist> effects_;
  std::uint64_t payloads_ = 0;
};

// Epochs, cluster, claim, every point of the history with its payload's size: equal for equal
// states.
[[nodiscard]] std::string words(const zab::Durable& durable);

// One commit of a script, and the state after it.
struct Step {
  std::vector<zab::Persist> effects;
  std::string after;
  zab::Durable state;  // the same
};

// Three elections, a truncation, an adopted history of several segments' length, small and large
// transactions: everything that a log can be asked for.
[[nodiscard]] std::vector<Step> whole_life();

// What went wrong; empty if nothing did.
template <typename T, typename E>
[[nodiscard]] std::string error_of(const boost::system::result<T, E>& result) {
  return result ? std::string() : result.error().message;
}

[[nodiscard]] OpenResult<OpenedLog> open(FileSystem& files, const LogOptions& options = small);
[[nodiscard]] OpenResult<OpenedLog> open(FileSystem& files, zab::Point applied,
                                         const LogOptions& options = small);

// Stages and commits what `life` has to say.
[[nodiscard]] Result<void> commit(Log& log, Life& life);

[[nodiscard]] std::string path_of(std::uint64_t sequence);
inline const std::string witness_path = std::string(directory) + "/extent";
[[nodiscard]] bool mentions(const std::string& text, const std::string& part);

// Opens, and carries out `steps` from `first` on, calling `prepare` after every other commit and
// `mark` after every fifth, until something fails. Returns how many commits succeeded.
std::size_t carry_out(FileSystem& files, const std::vector<Step>& steps, std::size_t first = 0);

}  // namespace storage::test
