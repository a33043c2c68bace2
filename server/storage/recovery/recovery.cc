#include "server/storage/recovery/recovery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/storage/recovery/damage_evidence.h"
#include "server/storage/recovery/log_scan.h"
#include "server/storage/recovery/log_tail.h"
#include "server/storage/recovery/segment_catalog.h"
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
  [[nodiscard]] Result<RecoveredLog> create_log();
  [[nodiscard]] OpenResult<std::optional<LogScan>> find_complete_scan();
  [[nodiscard]] std::string missing_end(const Replay& replay) const;
  [[nodiscard]] Result<RecoveredLog> open_complete(LogScan& scan);
  [[nodiscard]] Result<RecoveredLog> open_damaged();
  [[nodiscard]] Result<Tip> state_with_evidence(const Tip& intact) const;
  [[nodiscard]] std::string why_missing_log_is_damage() const;
  [[nodiscard]] wire::Level last_level() const;
  [[nodiscard]] std::vector<KeptSegment> kept_segments(std::size_t first, std::size_t last) const;

  void add_damage(const std::string& what);

  FileSystem& files_;
  const std::string& directory_;
  zab::ServerId server_;
  zab::Point applied_;
  const LogOptions& options_;
  AdoptedSnapshot snapshot_;
  SegmentCatalog catalog_;
  std::optional<SegmentHeader> extent_;  // how far the log reached, by the extent
  std::string damage_;                   // all damage that was found, for the report
  std::optional<LogScan> best_;  // of the scans that end with damage: the one that reaches furthest
};

void LogRecovery::add_damage(const std::string& what) {
  if (!damage_.empty()) damage_ += "; ";
  damage_ += what;
}

OpenResult<RecoveredLog> LogRecovery::run() {
  auto catalog = read_catalog(files_, directory_, server_);
  if (!catalog) return catalog.error();
  catalog_ = std::move(*catalog);
  auto extent = Extent::read(files_, directory_, server_);
  if (!extent) return extent.error();
  extent_ = *extent;
  if (catalog_.segments.empty() && applied_ == zab::Point{} && !extent_) return create_log();
  if (catalog_.segments.empty()) add_damage(why_missing_log_is_damage());

  auto scan = find_complete_scan();
  if (!scan) return scan.error();
  if (!*scan) return open_damaged();
  if (const std::string missing = missing_end((*scan)->replay); !missing.empty()) {
    add_damage(missing);
    best_ = std::move(*scan);
    return open_damaged();
  }
  if (!(*scan)->replay.history().contains(applied_)) {
    return wire::Error{
        wire::ErrorCode::system_error,
        directory_ + ": the checkpoint at " + wire::to_string(applied_.zxid) +
            " is of another history than the log. If you restored files from a backup, restore "
            "checkpoint and log from the same one. Nothing was changed"};
  }
  return open_complete(**scan);
}

// Says what is missing at the end of an otherwise complete log. Empty if nothing is missing.
std::string LogRecovery::missing_end(const Replay& replay) const {
  const zab::Point last = replay.tip().last;
  if (last.zxid < applied_.zxid) {
    return directory_ + ": the log ends with txn " + wire::to_string(last.zxid) +
           ", before the checkpoint at " + wire::to_string(applied_.zxid);
  }
  if (extent_ && extent_->first_commit > replay.next_commit()) {
    return directory_ + ": the log ends with commit " + std::to_string(replay.next_commit() - 1) +
           ", but it once reached commit " + std::to_string(extent_->first_commit - 1) +
           ", by the file extent";
  }
  return {};
}

std::string LogRecovery::why_missing_log_is_damage() const {
  if (extent_) {
    return directory_ + ": there is no segment, but the log once reached commit " +
           std::to_string(extent_->first_commit - 1) + ", by the file extent";
  }
  return directory_ + ": there is no segment, but there is a checkpoint at " +
         wire::to_string(applied_.zxid);
}

Result<RecoveredLog> LogRecovery::create_log() {
  const SegmentHeader header{server_, 1, 1, {}, {}, {options_.level, options_.program}};
  auto segment = Segment::create(files_, directory_, header, 0, options_, {});
  if (!segment) return segment.error();
  RecoveredLog recovered;
  recovered.level = options_.level;
  recovered.index.restart({}, {1, header_bytes});
  recovered.next_sequence = 2;
  recovered.kept = {{1, {}, 0, false, options_.level}};
  recovered.segment = std::move(*segment);
  recovered.report = directory_ + ": made a new, empty log";
  return recovered;
}

// Scans from the first segment on. After damage it scans from the next segment, as if the log began
// there, and so on. Returns the first scan that reaches the end of the log without damage, and
// begins at or before the checkpoint. Nothing if there is no such scan.
OpenResult<std::optional<LogScan>> LogRecovery::find_complete_scan() {
  for (std::size_t first = 0; first < catalog_.segments.size();) {
    const SegmentEntry& segment = catalog_.segments[first];
    if (!segment.header) {
      if (first == 0) add_damage(segment.problem);
      ++first;
      continue;
    }
    auto scan = scan_log(files_, catalog_, first, applied_.zxid, options_.history_bytes);
    if (!scan) return scan.error();
    const zab::Point base = scan->replay.history().base();
    const bool covered = base.zxid <= applied_.zxid;
    if (!covered && scan->replay.begins_with_snapshot() && snapshot_ == AdoptedSnapshot::lost) {
      add_damage(directory_ + ": the log adopted a snapshot at " + wire::to_string(base.zxid) +
                 ", which is lost; the checkpoint is at " + wire::to_string(applied_.zxid));
      break;
    }
    if (!covered && scan->replay.begins_with_snapshot()) {
      return OpenError(OpenError::Reason::snapshot_missing,
                       directory_ + ": the log adopted a snapshot at " +
                           wire::to_string(base.zxid) + ", but the checkpoint is at " +
                           wire::to_string(applied_.zxid) + ". Nothing was changed");
    }
    if (!scan->damage && covered) return std::optional<LogScan>(std::move(*scan));
    if (!scan->damage) {
      add_damage(segment.path + ": the segment begins after txn " + wire::to_string(base.zxid) +
                 ", and the part before it is missing");
      break;
    }
    add_damage(scan->damage->what);
    first = scan->damage->segment + 1;
    if (covered && scan->last) best_ = std::move(*scan);
  }
  return std::optional<LogScan>();
}

Result<RecoveredLog> LogRecovery::open_complete(LogScan& scan) {
  const SegmentEntry& last = catalog_.segments[scan.last->segment];
  auto tail = rewrite_tail(files_, catalog_, scan);
  if (!tail) return tail.error();
  if (auto done = files_.sync_directory(directory_); !done) return done.error();

  const Replay& replay = scan.replay;
  RecoveredLog recovered;
  recovered.tip = replay.tip();
  recovered.index = replay.index();
  recovered.level = last_level();
  recovered.next_commit = replay.next_commit();
  recovered.next_sequence = last.sequence + 1;
  recovered.kept = kept_segments(scan.first, scan.last->segment);
  recovered.segment.emplace(std::move(tail->file), scan.last->key, last.sequence, scan.last->end,
                            last.file_bytes, options_);
  recovered.marked = replay.marked();
  recovered.proven = recovered.marked || !scan.last->has_commits();
  recovered.report = directory_ + ": " + std::to_string(recovered.kept.size()) + " segments, " +
                     std::to_string(recovered.next_commit - 1) + " commits; " +
                     describe(recovered.tip) + tail->dropped;
  if (!damage_.empty()) {
    recovered.report +=
        "; nothing is lost, although a part that the checkpoint covers is damaged: " + damage_;
  }
  if (recovered.tip.damaged) {
    recovered.report +=
        "; the log was damaged earlier, so this server does not vote until it has "
        "adopted a leader's history";
  }
  recovered.history = scan.replay.take_history();
  return recovered;
}

Result<RecoveredLog> LogRecovery::open_damaged() {
  RecoveredLog recovered;
  recovered.level = last_level();
  recovered.next_sequence = catalog_.next_sequence;
  Tip intact;
  if (best_) {
    intact = best_->replay.tip();
    recovered.next_commit = best_->replay.next_commit();
  }
  if (best_ && best_->replay.history().contains(applied_)) {
    recovered.history = best_->replay.take_history();
    recovered.index = best_->replay.index();
    recovered.kept = kept_segments(best_->first, best_->last->segment);
    recovered.kept.back().damaged = true;
    recovered.valid_until = {recovered.kept.back().sequence, best_->last->end};
  } else {
    recovered.history = zab::History(applied_);
    recovered.index.restart(applied_, {});
    intact.last = applied_;
  }
  if (extent_) recovered.next_commit = std::max(recovered.next_commit, extent_->first_commit);
  const auto tip = state_with_evidence(intact);
  if (!tip) return tip.error();
  recovered.tip = *tip;
  recovered.report =
      directory_ + ": the log is damaged, and not by a crash: " + damage_ +
      ". This server starts with " + describe(recovered.tip) + "; the log once reached txn " +
      wire::to_string(recovered.tip.damaged->last_zxid) + " in epoch " +
      std::to_string(recovered.tip.damaged->current_epoch.value) +
      ". No file was changed. Check the disk. This server does not vote until it has adopted a "
      "leader's history, which it does by itself";
  return recovered;
}

// Adds to the intact state what is proven behind the damage.
Result<Tip> LogRecovery::state_with_evidence(const Tip& intact) const {
  DamageEvidence evidence(intact);
  std::size_t next = 0;  // the first segment whose header and records are all evidence
  if (best_) {
    evidence.add_start(best_->replay.tip());
    next = catalog_.segments.size();
  }
  if (best_ && best_->damage) {
    const Damage& damage = *best_->damage;
    const auto added = evidence.add_records(files_, catalog_.segments[damage.segment],
                                            std::max(damage.offset, header_bytes));
    if (!added) return added.error();
    next = damage.segment + 1;
  }
  for (std::size_t i = next; i < catalog_.segments.size(); ++i) {
    if (const auto& header = catalog_.segments[i].header) evidence.add_start(header->start);
    const auto added = evidence.add_records(files_, catalog_.segments[i], header_bytes);
    if (!added) return added.error();
  }
  if (extent_) evidence.add_extent(extent_->start);
  return evidence.tip();
}

// The level of the last segment whose header is intact; level 0 if there is none.
wire::Level LogRecovery::last_level() const {
  wire::Level level;
  for (const SegmentEntry& segment : catalog_.segments) {
    if (segment.header) level = segment.header->written.level;
  }
  return level;
}

std::vector<KeptSegment> LogRecovery::kept_segments(std::size_t first, std::size_t last) const {
  std::vector<KeptSegment> result;
  for (std::size_t i = first; i <= last; ++i) {
    const SegmentEntry& segment = catalog_.segments[i];
    result.push_back({segment.sequence, segment.header->start.last,
                      segment.valid_until.value_or(segment.file_bytes),
                      segment.valid_until.has_value(), segment.header->written.level});
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
    const auto scan = scan_log(files, *catalog, first, end, 0);
    if (!scan) return scan.error();
    if (const auto& adopted = scan->replay.last_snapshot()) snapshot = adopted;
    if (!scan->damage) break;
    first = scan->damage->segment + 1;
  }
  return snapshot;
}

}  // namespace storage
