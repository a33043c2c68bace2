#include "tests/support/sim_file_system.h"

#include <algorithm>
#include <utility>

#include "wire/ensure.h"

namespace sim {
namespace {

constexpr std::size_t sector_bytes = 512;

wire::Error failure(const std::string& operation, const std::string& path, const std::string& why) {
  return {wire::ErrorCode::system_error, operation + ' ' + path + ": " + why};
}

const char* text_of(Fault fault) {
  switch (fault) {
    case Fault::power: return "the power is off";
    case Fault::io_error: return "Input/output error";
    case Fault::no_space: return "No space left on device";
  }
  return "";
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// One sector of `bytes`, with zeros where they end.
std::string sector_of(const std::string& bytes, std::uint64_t sector) {
  const std::size_t begin = sector * sector_bytes;
  std::string copy = begin < bytes.size() ? bytes.substr(begin, sector_bytes) : std::string();
  copy.resize(sector_bytes, '\0');
  return copy;
}

void put_sector(std::string& bytes, std::uint64_t sector, const std::string& version) {
  const std::size_t begin = sector * sector_bytes;
  bytes.resize(std::max(bytes.size(), begin + sector_bytes), '\0');
  bytes.replace(begin, sector_bytes, version);
}

}  // namespace

struct SimFileSystem::Inode {
  std::string cached;   // as the running system sees it
  std::string durable;  // as of the last sync
  // The versions that the medium may have instead of `durable`: all since then, the oldest first.
  std::map<std::uint64_t, std::vector<std::string>> versions;
  std::vector<std::uint64_t> lengths;

  void write(std::uint64_t offset, std::string_view bytes) {
    if (bytes.empty()) return;
    const std::uint64_t end = offset + bytes.size();
    if (end > cached.size()) {
      cached.resize(end, '\0');
      lengths.push_back(end);
    }
    cached.replace(offset, bytes.size(), bytes);
    for (std::uint64_t s = offset / sector_bytes; s * sector_bytes < end; ++s) {
      versions[s].push_back(sector_of(cached, s));
    }
  }

  void empty() {
    for (std::uint64_t s = 0; s * sector_bytes < cached.size(); ++s) {
      versions[s].emplace_back(sector_bytes, '\0');
    }
    cached.clear();
    lengths.push_back(0);
  }

  void sync() {
    if (versions.empty() && lengths.empty()) return;
    for (const auto& [sector, history] : versions)
      put_sector(durable, sector, sector_of(cached, sector));
    durable.resize(cached.size(), '\0');
    versions.clear();
    lengths.clear();
  }

  // Chooses one version of everything that is not synced, for the medium. The page cache does not
  // change.
  void choose_durable_state(SimFileSystem& disk) {
    std::uint64_t length = durable.size();
    if (const std::uint64_t choice = disk.below(lengths.size() + 1); choice > 0) {
      length = lengths[choice - 1];
    }
    for (const auto& [sector, written] : versions) {
      std::vector<std::string> candidates = written;
      candidates.push_back(sector_of(durable, sector));
      std::string chosen = candidates[disk.below(candidates.size())];
      if (disk.below(8) == 0) {  // torn within the sector
        const std::string& other = candidates[disk.below(candidates.size())];
        const std::size_t cut = disk.below(sector_bytes);
        chosen.replace(cut, std::string::npos, other, cut);
      }
      put_sector(durable, sector, chosen);
    }
    durable.resize(length, '\0');
    versions.clear();
    lengths.clear();
  }
};

class SimFileSystem::OpenFile final : public storage::File {
 public:
  OpenFile(SimFileSystem& disk, std::shared_ptr<Inode> inode, std::string path)
      : disk_(disk),
        inode_(std::move(inode)),
        path_(std::move(path)),
        incarnation_(disk.incarnation_) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    if (const auto fault = next_fault()) return failure("read", path_, text_of(*fault));
    const std::string& bytes = inode_->cached;
    if (offset >= bytes.size()) return std::size_t{0};
    return bytes.copy(into.data(), into.size(), offset);
  }

  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    const bool powered = disk_.powered_;
    auto fault = next_fault();
    const bool longer = offset + bytes.size() > inode_->cached.size();
    if (!fault && longer && disk_.full_) fault = Fault::no_space;
    if (!fault) {
      inode_->write(offset, bytes);
      return {};
    }
    if (powered) inode_->write(offset, bytes.substr(0, disk_.below(bytes.size() + 1)));
    return failure("write", path_, text_of(*fault));
  }

  // Does nothing, because `power_cycle` chooses whether a write that is not synced is on the disk.
  void start_writing(std::uint64_t /*offset*/, std::uint64_t /*count*/) override {}

  Result<void> sync() override {
    const auto fault = next_fault();
    if (!fault) {
      inode_->sync();
      return {};
    }
    if (fault != Fault::power) inode_->choose_durable_state(disk_);
    return failure("sync", path_, text_of(*fault));
  }

  Result<std::uint64_t> size() override {
    if (const auto fault = next_fault()) return failure("stat", path_, text_of(*fault));
    return inode_->cached.size();
  }

 private:
  [[nodiscard]] std::optional<Fault> next_fault() {
    ensure(incarnation_ == disk_.incarnation_, "a process that has ended does nothing more");
    return disk_.next_fault();
  }

  SimFileSystem& disk_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  std::uint64_t incarnation_;
};

class SimFileSystem::HeldLock final : public storage::Lock {
 public:
  HeldLock(SimFileSystem& disk, std::string path)
      : disk_(disk), path_(std::move(path)), incarnation_(disk.incarnation_) {}
  ~HeldLock() override {
    if (incarnation_ == disk_.incarnation_) disk_.locked_.erase(path_);
  }

 private:
  SimFileSystem& disk_;
  std::string path_;
  std::uint64_t incarnation_;
};

SimFileSystem::SimFileSystem(std::uint64_t seed) : random_(seed) {}
SimFileSystem::~SimFileSystem() = default;

std::optional<Fault> SimFileSystem::next_fault() {
  const std::uint64_t operation = operations_++;
  if (!powered_) return Fault::power;
  std::optional<Fault> fault;
  if (fault_rule_) fault = fault_rule_(operation);
  if (fault_at_ && fault_at_->first == operation) fault = fault_at_->second;
  if (fault == Fault::power) powered_ = false;
  return fault;
}

Result<void> SimFileSystem::permit(const std::string& operation, const std::string& path) {
  if (const auto fault = next_fault()) return failure(operation, path, text_of(*fault));
  return {};
}

void SimFileSystem::fail_at(std::uint64_t operation, Fault fault) {
  fault_at_ = {operation, fault};
}

void SimFileSystem::change(Change change) {
  for (const auto& [path, inode] : change) {
    if (inode) {
      entries_[path] = inode;
    } else {
      entries_.erase(path);
    }
  }
  changes_.push_back(std::move(change));
}

Result<void> SimFileSystem::make_directory(const std::string& path) {
  if (auto done = permit("make directory", path); !done) return done;
  directories_.insert(path);
  return {};
}

Result<std::vector<std::string>> SimFileSystem::list(const std::string& directory) {
  if (auto done = permit("list", directory); !done) return done.error();
  if (!directories_.contains(directory))
    return failure("list", directory, "No such file or directory");
  std::vector<std::string> names;
  for (const auto& [path, inode] : entries_) {
    if (parent_of(path) == directory) names.push_back(path.substr(directory.size() + 1));
  }
  return names;
}

Result<void> SimFileSystem::sync_directory(const std::string& path) {
  if (auto done = permit("sync directory", path); !done) return done;
  std::erase_if(changes_, [&](const Change& change) {
    if (parent_of(change.begin()->first) != path) return false;
    for (const auto& [entry, inode] : change) {
      if (inode) {
        durable_entries_[entry] = inode;
      } else {
        durable_entries_.erase(entry);
      }
    }
    return true;
  });
  return {};
}

Result<std::unique_ptr<storage::File>> SimFileSystem::open(const std::string& path) {
  if (auto done = permit("open", path); !done) return done.error();
  const auto entry = entries_.find(path);
  if (entry == entries_.end()) return failure("open", path, "No such file or directory");
  return std::unique_ptr<storage::File>(std::make_unique<OpenFile>(*this, entry->second, path));
}

Result<std::unique_ptr<storage::File>> SimFileSystem::create(const std::string& path) {
  if (auto done = permit("create", path); !done) return done.error();
  if (!directories_.contains(parent_of(path))) {
    return failure("create", path, "No such file or directory");
  }
  if (full_) return failure("create", path, text_of(Fault::no_space));
  const auto entry = entries_.find(path);
  auto inode = entry != entries_.end() ? entry->second : std::make_shared<Inode>();
  if (entry != entries_.end()) {
    inode->empty();
  } else {
    change({{path, inode}});
  }
  return std::unique_ptr<storage::File>(std::make_unique<OpenFile>(*this, std::move(inode), path));
}

Result<void> SimFileSystem::rename(const std::string& from, const std::string& to) {
  if (auto done = permit("rename to " + to, from); !done) return done;
  const auto entry = entries_.find(from);
  if (entry == entries_.end()) return failure("rename to " + to, from, "No such file or directory");
  change({{from, nullptr}, {to, entry->second}});
  return {};
}

Result<void> SimFileSystem::remove(const std::string& path) {
  if (auto done = permit("remove", path); !done) return done;
  if (!entries_.contains(path)) return failure("remove", path, "No such file or directory");
  change({{path, nullptr}});
  return {};
}

Result<std::unique_ptr<storage::Lock>> SimFileSystem::lock(const std::string& path) {
  if (auto done = permit("lock", path); !done) return done.error();
  if (!locked_.insert(path).second) return std::unique_ptr<storage::Lock>();
  return std::unique_ptr<storage::Lock>(std::make_unique<HeldLock>(*this, path));
}

void SimFileSystem::kill() {
  ++incarnation_;
  locked_.clear();
  powered_ = true;
}

void SimFileSystem::power_cycle() {
  kill();
  std::set<std::shared_ptr<Inode>> inodes;
  for (const Change& change : changes_) {
    const bool kept = below(2) == 0;
    for (const auto& [path, inode] : change) {
      if (!kept) continue;
      if (inode) {
        durable_entries_[path] = inode;
      } else {
        durable_entries_.erase(path);
      }
    }
  }
  changes_.clear();
  entries_ = durable_entries_;
  // By path, not by inode: the addresses of inodes, and so the order of choices, differ from run to
  // run.
  for (const auto& [path, inode] : entries_) {
    if (!inodes.insert(inode).second) continue;
    inode->choose_durable_state(*this);
    inode->cached = inode->durable;
  }
}

std::vector<std::string> SimFileSystem::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, inode] : entries_) paths.push_back(path);
  return paths;
}

std::string SimFileSystem::contents(const std::string& path) const {
  return entries_.at(path)->cached;
}

std::optional<std::string> SimFileSystem::durable_contents(const std::string& path) const {
  const auto entry = durable_entries_.find(path);
  if (entry == durable_entries_.end()) return std::nullopt;
  return entry->second->durable;
}

void SimFileSystem::plant(const std::string& path, std::string contents) {
  auto inode = std::make_shared<Inode>();
  inode->cached = inode->durable = std::move(contents);
  directories_.insert(parent_of(path));
  entries_[path] = durable_entries_[path] = std::move(inode);
}

void SimFileSystem::damage(const std::string& path, const std::function<void(std::string&)>& how) {
  Inode& inode = *entries_.at(path);
  how(inode.cached);
  how(inode.durable);
}

void SimFileSystem::lose(const std::string& path) {
  entries_.erase(path);
  durable_entries_.erase(path);
}

}  // namespace sim
