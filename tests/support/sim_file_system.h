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

// How one operation fails.
enum class Fault {
  power,     // it and all later ones fail, until `power_cycle`; a part of it may have happened
  io_error,  // only it fails; a failed sync forgets what it should have written
  no_space,  // only it fails; of a write, a part has happened
};

// The disk of one server, with a file system that does what a real one may do. Deterministic: equal
// seeds and equal calls give equal results.
//
// `power_cycle` chooses at random what becomes of all that is not synced:
// - a sector: any version written since the last sync, or a mixture of two;
// - a directory: any subset of its changes;
// - a file's length: any since the last sync.
// Data that a failed sync did not write stay in the page cache, where they can be read. Later syncs
// do not write them, unless they are overwritten.
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

  // --- Ends of the server's process ---

  // The process dies, but not the machine: all files and locks are closed, and nothing is lost.
  void kill();
  // The machine loses power, and gets it back. Includes `kill`.
  void power_cycle();

  // --- Faults ---

  // How many of the calls above, and of those of files, there were so far; reads count too.
  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  // Makes operation number `operation` fail; the first one is 0. There is one such fault at a time:
  // a later call replaces it. It survives `kill` and `power_cycle`.
  void fail_at(std::uint64_t operation, Fault fault);
  // Removes that fault.
  void heal() { fault_at_.reset(); }
  // While the disk is full, new files and writes that make a file longer fail.
  void set_full(bool full) { full_ = full; }
  [[nodiscard]] bool is_full() const { return full_; }
  // Called before each operation: returns how it fails, or nothing. For faults at random.
  using FaultRule = std::function<std::optional<Fault>(std::uint64_t operation)>;
  void set_fault_rule(FaultRule rule) { fault_rule_ = std::move(rule); }

  // --- The medium without its caches: to inspect and to damage it. These are no operations. ---

  [[nodiscard]] std::vector<std::string> paths() const;
  // A file as the running system sees it. It must exist.
  [[nodiscard]] std::string contents(const std::string& path) const;
  // A file as of its last sync; nothing if its entry in the directory is not durable.
  [[nodiscard]] std::optional<std::string> durable_contents(const std::string& path) const;
  // Makes a durable file, in place of an existing one.
  void plant(const std::string& path, std::string contents);
  // Changes a file, also while it is open: in the cache and on the medium.
  void damage(const std::string& path, const std::function<void(std::string&)>& how);
  // Removes a file, durably.
  void lose(const std::string& path);

 private:
  class OpenFile;
  class HeldLock;
  struct Inode;
  // Directory entries that change together; an entry without a file is removed.
  using Change = std::map<std::string, std::shared_ptr<Inode>>;

  // Counts an operation. Returns how it fails, or nothing.
  [[nodiscard]] std::optional<Fault> next_fault();
  // The same, for operations that do nothing if they fail.
  [[nodiscard]] Result<void> permit(const std::string& operation, const std::string& path);
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  void change(Change change);

  std::mt19937_64 random_;
  std::uint64_t operations_ = 0;
  std::optional<std::pair<std::uint64_t, Fault>> fault_at_;
  FaultRule fault_rule_;
  bool powered_ = true;
  bool full_ = false;
  std::uint64_t incarnation_ = 0;  // of the process: handles of earlier ones are closed

  std::set<std::string> directories_;
  std::map<std::string, std::shared_ptr<Inode>> entries_;  // as the running system sees them
  std::map<std::string, std::shared_ptr<Inode>> durable_entries_;  // as of the last sync
  std::vector<Change> changes_;                                    // since then, in order
  std::set<std::string> locked_;
};

}  // namespace sim
