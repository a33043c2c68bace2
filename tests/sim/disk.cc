#include "tests/sim/disk.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/checkers.h"

namespace sim {
namespace {

// Approximate numbers of file operations. A batch that begins a segment needs more.
constexpr std::uint64_t operations_of_a_commit = 10;
constexpr std::uint64_t operations_of_a_checkpoint = 14;
constexpr std::uint64_t operations_of_recovery = 30;
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t last_commits_bytes = 512;

const std::string log_directory = "/data";
const std::string state_directory = "/state";
const std::string checkpoint_path = state_directory + "/checkpoint";
const std::string unfinished_path = state_directory + "/checkpoint.new";
const std::string staged_prefix = state_directory + "/staged.";

std::string staged_path(zab::Point at) { return staged_prefix + wire::to_hex(at.zxid.bits()); }

}  // namespace

Disk::Disk(zab::ServerId server, Random& random, Totals& totals)
    : server_(server),
      random_(random),
      totals_(totals),
      options_{.segment_bytes = random.between(5, random.one_in(2) ? 32 : 10) * 1024,
               .fill_bytes = random.between(1, 16) * 1024},
      keep_bytes_(!random.one_in(3) ? 0 : random.below(64) * 1024),
      padding_(random.one_in(2) ? 0 : random.below(4096)),
      files_(std::make_unique<SimFileSystem>(random.next())),
      read_max_(random.between(1000, 8000)) {
  open();
}

// --- Opening ---

Disk::Done Disk::open() {
  if (log_) return Done::well;
  if (!files_->make_directory(state_directory)) return Done::failed;
  const auto bytes = read_file(checkpoint_path);
  if (bytes) {
    const auto found = decode(*bytes);
    if (!found && !power_fails_)
      throw Violation("checkpoint", "the checkpoint differs from the one written");
    if (!found) return Done::failed;
    checkpoint_ = *found;
  } else {
    checkpoint_ = {};
  }
  return open_log();
}

Disk::Done Disk::open_log() {
  auto opened = storage::Log::open(*files_, log_directory, server_, checkpoint_.at, options_);
  if (!opened && opened.error().reason == storage::OpenError::Reason::snapshot_missing) {
    // The process crashed between the log's commit and the rename of the snapshot.
    const auto adopted = storage::Log::adopted_snapshot(*files_, log_directory, server_);
    if (adopted && *adopted && adopt_staged(**adopted) == Done::well) {
      totals_.count(Rare::staged_installed);
      opened = storage::Log::open(*files_, log_directory, server_, checkpoint_.at, options_);
    } else if (!power_fails_) {
      totals_.count(Rare::snapshot_lost);
      opened = storage::Log::open(*files_, log_directory, server_, checkpoint_.at, options_,
                                  storage::AdoptedSnapshot::lost);
    }
  }
  if (!opened) {
    if (!power_fails_ && !files_->is_full()) {
      throw Violation("storage", "server " + to_string(server_) + ": " + opened.error().message);
    }
    return Done::failed;
  }
  log_.emplace(std::move(opened->log));
  recovered_ = std::move(opened->recovered);
  segment_ = log_->end().sequence;
  written_ = false;
  staged_.clear();
  drop_staged();
  return Done::well;
}

std::optional<std::string> Disk::read_file(const std::string& path) {
  const auto file = files_->open(path);
  if (!file) return std::nullopt;
  const auto size = (*file)->size();
  if (!size) return std::nullopt;
  std::string bytes(*size, '\0');
  if (!(*file)->read(0, bytes)) return std::nullopt;
  return bytes;
}

// --- Writing ---

Disk::Done Disk::write(const std::vector<zab::Persist>& batch) {
  broken_ = try_write(batch) == Done::failed;
  return broken_ ? Done::failed : Done::well;
}

// A snapshot is durable before the log records its adoption. It replaces the checkpoint after that.
Disk::Done Disk::try_write(const std::vector<zab::Persist>& batch) {
  std::vector<zab::Persist> logged;
  std::optional<zab::Point> adopted;
  for (const zab::Persist& persist : batch) {
    if (const auto* chunk = std::get_if<zab::StoreSnapshot>(&persist)) {
      if (store(*chunk) == Done::failed) return Done::failed;
      continue;
    }
    if (const auto* adopt = std::get_if<zab::AdoptHistory>(&persist); adopt && adopt->snapshot) {
      adopted = adopt->from;
    }
    logged.push_back(persist);
  }
  if (!logged.empty()) {
    log_->stage(logged);
    if (!log_->commit()) return Done::failed;
    written_ = true;
  }
  if (adopted && adopt_staged(*adopted) == Done::failed) return Done::failed;
  if (!logged.empty() && !log_->prepare()) return Done::failed;
  if (const auto work = log_->spare_work()) log_->spare_made(*work, work->run());
  const std::uint64_t before = std::exchange(segment_, log_->end().sequence);
  if (segment_ != before && is_written_over()) totals_.count(Rare::written_over);
  if (random_.one_in(16) && !log_->mark()) return Done::failed;
  return Done::well;
}

// Whether the current segment file was used for an earlier segment.
bool Disk::is_written_over() const {
  const storage::LogPosition end = log_->end();
  const std::string bytes =
      files_->contents(log_directory + '/' + storage::segment_name(end.sequence));
  return bytes.find_first_not_of('\0', end.offset) != std::string::npos;
}

Disk::Done Disk::store(const zab::StoreSnapshot& chunk) {
  if (chunk.first) {
    if (!staged_.empty()) totals_.count(Rare::snapshot_abandoned);
    staged_.clear();
  }
  staged_ += *chunk.bytes;
  if (!chunk.last) return Done::well;
  return put(staged_path(chunk.at), std::exchange(staged_, {}));
}

Disk::Done Disk::put(const std::string& path, const wire::Bytes& bytes) {
  const auto file = files_->create(path);
  if (!file || !(*file)->write(0, bytes) || !(*file)->sync()) return Done::failed;
  return files_->sync_directory(state_directory) ? Done::well : Done::failed;
}

Disk::Done Disk::adopt_staged(zab::Point at) {
  const auto bytes = read_file(staged_path(at));
  if (!bytes) return Done::failed;
  const auto found = decode(*bytes);
  if (!found || found->at != at) {
    throw Violation("checkpoint", "an adopted snapshot differs from the one stored");
  }
  if (!files_->rename(staged_path(at), checkpoint_path)) return Done::failed;
  if (!files_->sync_directory(state_directory)) return Done::failed;
  checkpoint_ = *found;
  return Done::well;
}

void Disk::drop_staged() {
  for (const std::string& path : files_->paths()) {
    if (path.starts_with(staged_prefix)) static_cast<void>(files_->remove(path));
  }
}

Disk::Done Disk::take(const Checkpoint& state) {
  if (write_checkpoint(encode(state, padding_)) == Done::failed) return Done::failed;
  checkpoint_ = state;
  totals_.count(Rare::checkpoint);
  const zab::Point before = log_->begin();
  if (!log_->purge(state.at, keep_bytes_)) return Done::failed;
  if (log_->begin() != before) totals_.count(Rare::purge);
  return Done::well;
}

Disk::Done Disk::write_checkpoint(const wire::Bytes& bytes) {
  if (put(unfinished_path, bytes) == Done::failed) return Done::failed;
  if (!files_->rename(unfinished_path, checkpoint_path)) return Done::failed;
  return files_->sync_directory(state_directory) ? Done::well : Done::failed;
}

storage::Result<std::optional<storage::Stretch>> Disk::read_after(zab::Point after) {
  return log_->read_after(after, read_max_);
}

// --- Crashes ---

void Disk::end(bool power) {
  log_.reset();
  files_->heal();
  if (power) {
    files_->power_cycle();
  } else {
    files_->kill();
  }
  staged_.clear();
  broken_ = false;
  // Sometimes the process crashes again during recovery.
  if (!power || !random_.one_in(4)) return;
  power_fails_ = true;
  files_->fail_at(files_->operations() + random_.below(operations_of_recovery), Fault::power);
  static_cast<void>(open());
  files_->heal();
  power_fails_ = false;
  log_.reset();
  files_->power_cycle();
}

void Disk::crash_during(const std::vector<zab::Persist>& batch) {
  const bool power = random_.one_in(2);
  if (!batch.empty() && log_ && !broken_) {
    if (power || random_.one_in(2)) {
      const Fault fault = power ? Fault::power : Fault::io_error;
      files_->fail_at(files_->operations() + random_.below(operations_of_a_commit), fault);
      static_cast<void>(write(batch));
    }
  }
  end(power);
}

void Disk::crash_during(const Checkpoint& state) {
  files_->fail_at(files_->operations() + random_.below(operations_of_a_checkpoint), Fault::power);
  static_cast<void>(take(state));
  end(true);
}

// --- Faults ---

void Disk::fail_soon(Fault fault) {
  files_->fail_at(files_->operations() + random_.below(operations_of_a_commit), fault);
}

bool Disk::rot() {
  if (!log_ || broken_ || !log_->mark()) return false;
  // A damaged log has no mark until a repaired segment begins. New damage could remove the proof of
  // the earlier damage.
  if (recovered_.damaged && !written_) return false;
  std::vector<std::string> paths;
  for (const std::string& path : files_->paths()) {
    if (path.starts_with(log_directory + "/log.0")) paths.push_back(path);
  }
  if (paths.empty()) return false;
  const auto any = [&] { return paths[static_cast<std::size_t>(random_.below(paths.size()))]; };
  const std::string path = any();
  const std::string bytes = files_->contents(path);
  // Changes only the part in use. The extent proves that an end is missing.
  const std::size_t end = path == paths.back()
                              ? std::min<std::size_t>(log_->end().offset, bytes.size())
                              : bytes.find_last_not_of('\0') + 1;
  if (end == 0) return false;
  // Often changes the part near the end, where only the mark proves the batches.
  const std::size_t low = random_.one_in(2) ? end - std::min(end, last_commits_bytes) : 0;
  const auto place = static_cast<std::size_t>(random_.between(low, end - 1));
  const auto change = [&](std::size_t begin, std::size_t count, const auto& how) {
    files_->damage(path, [&](std::string& content) {
      // A file that was truncated may be shorter than the part written since.
      for (std::size_t i = begin; i < std::min({begin + count, end, content.size()}); ++i) {
        content[i] = how(content[i]);
      }
    });
  };
  const auto flip = static_cast<char>(random_.between(1, 255));
  switch (random_.below(9)) {
    default:
      change(place, static_cast<std::size_t>(random_.between(1, 16)),
             [&](char byte) { return static_cast<char>(byte ^ flip); });
      totals_.count(Rare::bytes_changed);
      return true;
    case 1:
      change(place / page_bytes * page_bytes, page_bytes, [](char) { return '\0'; });
      totals_.count(Rare::page_zeroed);
      return true;
    case 2:
      files_->damage(path, [&](std::string& content) { content.resize(place); });
      totals_.count(Rare::file_cut);
      return true;
    case 3:
      files_->lose(path);
      totals_.count(Rare::file_lost);
      return true;
    case 4: {
      const std::string other = any();
      if (other == path || std::exchange(swapped_, true)) return false;
      const std::string others = files_->contents(other);
      files_->damage(path, [&](std::string& content) { content = others; });
      files_->damage(other, [&](std::string& content) { content = bytes; });
      totals_.count(Rare::files_swapped);
      return true;
    }
    case 5:
      if (checkpoint_.at == zab::Point{}) return false;
      files_->lose(checkpoint_path);
      totals_.count(Rare::checkpoint_lost);
      return true;
  }
}

void Disk::wipe(Space space) {
  log_.reset();
  files_ = std::make_unique<SimFileSystem>(random_.next());
  files_->set_full(space == Space::none);
  checkpoint_ = {};
  staged_.clear();
  broken_ = swapped_ = written_ = false;
  open();
}

void Disk::replace(const std::vector<zab::Persist>& content) {
  wipe(Space::enough);
  if (write(content) == Done::failed)
    throw Violation("storage", "a write to a disk without faults fails");
  end(false);
  open();
}

}  // namespace sim
