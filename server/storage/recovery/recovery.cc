#include "server/storage/recovery/recovery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/storage/recovery/damage_evidence.h"
#include "server/storage/recovery/log_scan.h"
#include "server/storage/recovery/segment_catalog.h"
#include "server/storage/recovery/tail.h"
#include "server/storage/segments/extent.h"

namespace storage {
namespace {

std::string describe(const Tip& tip) {
  return "last txn " + wire::to_string(tip.last.zxid) + ", current epoch " +
         std::to_string(tip.current_epoch.value) + ", accepted epoch " +
         std::to_string(tip.accepted_epoch.value) + " of server " +
         zab::to_string(tip.accepted_leader);
}

class LogRecovery {
 public:
  LogRecovery(FileSystem& files, const std::string& directory, zab::ServerId server,
              zab::Point applied, const LogOptions& options, AdoptedSnapshot snapshot)
      : files_(files),
        directory_(directory),
        server_(server),
        applied_(applied),
        options_(options),
        snapshot_(snapshot) {}

  OpenResult<RecoveredLog> run();

 private:
  [[nodiscard]] Result<RecoveredLog> begin();
  [[nodiscard]] OpenResult<std::optional<LogScan>> read();
  [[nodiscard]] Result<RecoveredLog> complete(LogScan& whole);
  [[nodiscard]] std::string why_no_log_is_damage() const;
  [[nodiscard]] RecoveredLog damaged();
  [[nodiscard]] std::vector<KeptSegment> kept(std::size_t first, std::size_t last) const;

  void blame(const std::string& what);

  FileSystem& files_;
  const std::string& directory_;
  zab::ServerId server_;
  zab::Point applied_;
  const LogOptions& options_;
  AdoptedSnapshot snapshot_;
  SegmentCatalog catalog_;
  std::optional<SegmentHeader> reached_;  // by what the extent says
  std::string damage_;                    // what does not hold, for the report
  std::optional<LogScan> best_;  // of those that end in damage: the one that reaches furthest
};

void LogRecovery::blame(const std::string& what) {
  if (!damage_.empty()) damage_ += "; ";
  damage_ += what;
}

OpenResult<RecoveredLog> LogRecovery::run() {
  auto catalog = read_catalog(files_, directory_, server_);
  if (!catalog) return catalog.error();
  catalog_ = std::move(*catalog);
  auto reached = Extent::read(files_, directory_, server_);
  if (!reached) return reached.error();
  reached_ = *reached;
  if (catalog_.segments.empty() && applied_ == zab::Point{} && !reached_) return begin();
  if (catalog_.segments.empty()) blame(why_no_log_is_damage());

  auto whole = read();
  if (!whole) return whole.error();
  if (!*whole) return damaged();
  const zab::Point last = (*whole)->replay.tip().last;
  if (last.zxid < applied_.zxid) {
    blame(directory_ + ": the log ends with txn " + wire::to_string(last.zxid) +
          ", before the checkpoint at " + wire::to_string(applied_.zxid));
    best_ = std::move(*whole);
    return damaged();
  }
  if (reached_ && reached_->first_commit > (*whole)->replay.next_commit()) {
    blame(directory_ + ": the log ends with commit " +
          std::to_string((*whole)->replay.next_commit() - 1) + ", but once reached commit " +
          std::to_string(reached_->first_commit - 1));
    best_ = std::move(*whole);
    return damaged();
  }
  if (!(*whole)->replay.history().contains(applied_)) {
    return wire::Error{wire::ErrorCode::system_error,
                       directory_ + ": the checkpoint at " + wire::to_string(applied_.zxid) +
                           " is of another history than the log. Nothing was changed"};
  }
  return complete(**whole);
}

std::string LogRecovery::why_no_log_is_damage() const {
  if (reached_) {
    return directory_ + ": there is no log, but it once reached commit " +
           std::to_string(reached_->first_commit - 1);
  }
  return directory_ + ": there is a checkpoint at " + wire::to_string(applied_.zxid) +
         ", but no log";
}

Result<RecoveredLog> LogRecovery::begin() {
  const SegmentHeader header{server_, 1, 1, {}, {}};
  auto segment = Segment::create(files_, directory_, header, 0, options_, {});
  if (!segment) return segment.error();
  RecoveredLog recovered;
  recovered.index.restart({}, {1, header_bytes});
  recovered.next_sequence = 2;
  recovered.kept = {{1, {}, 0, false}};
  recovered.segment = std::move(*segment);
  recovered.report = directory_ + ": a new log";
  return recovered;
}

// The log to its end, from the first segment from which that can be read; nothing if there is none,
// or if it begins after the checkpoint.
OpenResult<std::optional<LogScan>> LogRecovery::read() {
  for (std::size_t first = 0; first < catalog_.segments.size();) {
    const SegmentEntry& segment = catalog_.segments[first];
    if (!segment.header) {
      if (first == 0) blame(segment.wrong);
      ++first;
      continue;
    }
    auto tried = scan_log(files_, catalog_, first, applied_.zxid, options_.history_bytes);
    if (!tried) return tried.error();
    const zab::Point base = tried->replay.history().base();
    const bool covered = base.zxid <= applied_.zxid;
    if (!covered && tried->replay.begins_with_snapshot() && snapshot_ == AdoptedSnapshot::lost) {
      blame(directory_ + ": the snapshot at " + wire::to_string(base.zxid) +
            " was adopted, and is lost; the checkpoint is at " + wire::to_string(applied_.zxid));
      break;
    }
    if (!covered && tried->replay.begins_with_snapshot()) {
      return OpenError(OpenError::Reason::snapshot_missing,
                       directory_ + ": the snapshot at " + wire::to_string(base.zxid) +
                           " was adopted, but the checkpoint is at " +
                           wire::to_string(applied_.zxid) + ". Nothing was changed");
    }
    if (!tried->damage && covered) return std::optional<LogScan>(std::move(*tried));
    if (!tried->damage) {
      blame(segment.path + ": begins after txn " + wire::to_string(base.zxid) +
            ", and what was before it is missing");
      break;
    }
    blame(tried->damage->what);
    first = tried->damage->segment + 1;
    if (covered && tried->last) best_ = std::move(*tried);
  }
  return std::optional<LogScan>();
}

Result<RecoveredLog> LogRecovery::complete(LogScan& whole) {
  const SegmentEntry& last = catalog_.segments[whole.last->segment];
  auto tail = mend_tail(files_, catalog_, whole);
  if (!tail) return tail.error();
  if (auto done = files_.sync_directory(directory_); !done) return done.error();

  const Replay& replay = whole.replay;
  RecoveredLog recovered;
  recovered.tip = replay.tip();
  recovered.index = replay.index();
  recovered.next_commit = replay.next_commit();
  recovered.next_sequence = last.sequence + 1;
  recovered.kept = kept(whole.first, whole.last->segment);
  recovered.segment.emplace(std::move(tail->file), whole.last->key, last.sequence, whole.last->end,
                            last.file_bytes, options_);
  recovered.marked = replay.marked();
  recovered.proven = recovered.marked || !whole.last->has_commits();
  recovered.report = directory_ + ": segments " + std::to_string(recovered.kept.size()) +
                     ", commits " + std::to_string(recovered.next_commit - 1) + "; " +
                     describe(recovered.tip) + tail->dropped;
  if (!damage_.empty())
    recovered.report += "; only what the checkpoint covers is damaged: " + damage_;
  if (recovered.tip.damaged) {
    recovered.report +=
        "; damaged before, and does not vote until it has taken over a leader's history";
  }
  recovered.history = whole.replay.take_history();
  return recovered;
}

RecoveredLog LogRecovery::damaged() {
  RecoveredLog recovered;
  recovered.next_sequence = catalog_.next_sequence;
  std::size_t behind = 0;  // the first segment that is to be heard from its header on
  Tip tip;
  if (best_) {
    tip = best_->replay.tip();
    recovered.next_commit = best_->replay.next_commit();
    behind = best_->damage ? best_->damage->segment + 1 : catalog_.segments.size();
  }
  if (best_ && best_->replay.history().contains(applied_)) {
    recovered.history = best_->replay.take_history();
    recovered.index = best_->replay.index();
    recovered.kept = kept(best_->first, best_->last->segment);
    recovered.kept.back().damaged = true;
    recovered.holds = {recovered.kept.back().sequence, best_->last->end};
  } else {
    recovered.history = zab::History(applied_);
    recovered.index.restart(applied_, {});
    tip.last = applied_;
  }
  DamageEvidence evidence(tip);
  if (best_) evidence.add(best_->replay.tip());
  if (best_ && best_->damage) {
    const Damage& damage = *best_->damage;
    evidence.add(files_, catalog_.segments[damage.segment], std::max(damage.offset, header_bytes));
  }
  for (std::size_t i = behind; i < catalog_.segments.size(); ++i) {
    if (const auto& header = catalog_.segments[i].header) evidence.add(header->start);
    evidence.add(files_, catalog_.segments[i], header_bytes);
  }
  if (reached_) {
    evidence.add_extent(reached_->start);
    recovered.next_commit = std::max(recovered.next_commit, reached_->first_commit);
  }
  recovered.tip = evidence.tip();
  recovered.report = damage_ + ". The log is damaged, not merely cut short by a crash. Kept: " +
                     describe(recovered.tip) + "; it once reached txn " +
                     wire::to_string(recovered.tip.damaged->last_zxid) + " in epoch " +
                     std::to_string(recovered.tip.damaged->current_epoch.value) +
                     ". Nothing was changed. This server does not vote until it has taken over a "
                     "leader's history";
  return recovered;
}

std::vector<KeptSegment> LogRecovery::kept(std::size_t first, std::size_t last) const {
  std::vector<KeptSegment> result;
  for (std::size_t i = first; i <= last; ++i) {
    const SegmentEntry& segment = catalog_.segments[i];
    result.push_back({segment.sequence, segment.header->start.last,
                      segment.until.value_or(segment.file_bytes), segment.until.has_value()});
  }
  return result;
}

}  // namespace

OpenResult<RecoveredLog> recover(FileSystem& files, const std::string& directory,
                                 zab::ServerId server, zab::Point applied,
                                 const LogOptions& options, AdoptedSnapshot snapshot) {
  return LogRecovery(files, directory, server, applied, options, snapshot).run();
}

Result<std::optional<zab::Point>> find_adopted_snapshot(FileSystem& files,
                                                        const std::string& directory,
                                                        zab::ServerId server) {
  const auto catalog = read_catalog(files, directory, server);
  if (!catalog) return catalog.error();
  constexpr zab::Zxid end = zab::Zxid::from_bits(std::numeric_limits<std::uint64_t>::max());
  std::optional<zab::Point> snapshot;
  for (std::size_t first = 0; first < catalog->segments.size();) {
    const auto tried = scan_log(files, *catalog, first, end, 0);
    if (!tried) return tried.error();
    if (const auto& adopted = tried->replay.last_snapshot()) snapshot = adopted;
    if (!tried->damage) break;
    first = tried->damage->segment + 1;
  }
  return snapshot;
}

}  // namespace storage
