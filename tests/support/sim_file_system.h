#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/storage/files/file_system.h"

namespace sim {

using storage::Result;

// What goes wrong at one operation.
enum class Fault {
  power,     // it and all later ones fail, until `power_cycle`; it may have happened in part
  io_error,  // it alone fails, and a failed sync forgets what it should have written
  no_space,  // it alone fails; of a write, a part has happened
};

// One server's disk, and a file system on it that does what the real one may do. Deterministic:
// equal seeds and equal calls give equal results.
//
// What is not synced is at the mercy of `power_cycle`: of each sector any version written since the
// last sync may be there, or a mixture of two; of each directory any subset of the changes; of a
// file's length any since the last sync. What a failed sync did not write stays in the page cache,
// where it can be read, and later syncs do not write it unless it is overwritten.
class SimFileSystem final : public storage::FileSystem {
 public:
  explicit SimFileSystem(std::uint64_t seed);
  ~SimFileSystem() override;

  Result<void> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<storage::File>> open(const std::string& path) override;
  Result<std::unique_ptr<storage::File>> create(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<std::unique_ptr<storage::Lock>> lock(const std::string& path) override;

  // --- What happens to the server ---

  // The process is gone, the machine goes on: all files and locks are closed, nothing is lost.
  void kill();
  // The power fails and comes back. Includes `kill`.
  void power_cycle();

  // --- Faults ---

  // Calls of the above so far, reads too, those of files included.
  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  // Operation number `operation`, the first being 0, fails so. One fault at a time; the last one
  // counts. Pending faults survive `kill` and `power_cycle`.
  void fail_at(std::uint64_t operation, Fault fault);
  // No fault is pending any more.
  void heal() { fault_at_.reset(); }
  // While it is, what needs space fails: new files, and longer ones.
  void set_full(bool full) { full_ = full; }
  [[nodiscard]] bool is_full() const { return full_; }
  // Asked before each operation: whether it fails, and how. For faults at random.
  using Weather = std::function<std::optional<Fault>(std::uint64_t operation)>;
  void set_weather(Weather weather) { weather_ = std::move(weather); }

  // --- The medium, past all caches: for looking at it and for damaging it ---

  [[nodiscard]] std::vector<std::string> paths() const;
  // A file as the running system sees it. It must exist.
  [[nodiscard]] std::string contents(const std::string& path) const;
  // What a power failure would certainly leave: the file as of its last sync, if its entry is
  // durable.
  [[nodiscard]] std::optional<std::string> durable_contents(const std::string& path) const;
  // Puts a file there, durably, in place of what was.
  void plant(const std::string& path, std::string contents);
  // Changes a file where it lies, under those who have it open too.
  void damage(const std::string& path, const std::function<void(std::string&)>& how);
  // Takes a file away, durably.
  void lose(const std::string& path);

 private:
  class OpenFile;
  class HeldLock;
  struct Inode;
  // Entries that change together; an entry without a file goes away.
  using Change = std::map<std::string, std::shared_ptr<Inode>>;

  // Counts an operation, and says how it fails, if it does.
  [[nodiscard]] std::optional<Fault> next_fault();
  // The same, for operations that do nothing at all when they fail.
  [[nodiscard]] Result<void> permit(const std::string& operation, const std::string& path);
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  void change(Change change);

  std::mt19937_64 random_;
  std::uint64_t operations_ = 0;
  std::optional<std::pair<std::uint64_t, Fault>> fault_at_;
  Weather weather_;
  bool powered_ = true;
  bool full_ = false;
  std::uint64_t incarnation_ = 0;  // of the process: handles of earlier ones are void

  std::set<std::string> directories_;
  std::map<std::string, std::shared_ptr<Inode>> entries_;  // as the running system sees them
  std::map<std::string, std::shared_ptr<Inode>> durable_entries_;  // as of the last sync
  std::vector<Change> changes_;                                    // since then, in order
  std::set<std::string> locked_;
};

}  // namespace sim
