#include "server/storage/recovery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/storage/attempt.h"
#include "server/storage/survey.h"
#include "server/storage/tail.h"
#include "server/storage/testimony.h"
#include "server/storage/witness.h"

namespace storage {
namespace {

std::string describe(const Tip& tip) {
  return "last txn " + wire::to_string(tip.last.zxid) + ", current epoch " +
         std::to_string(tip.current_epoch.value) + ", accepted epoch " +
         std::to_string(tip.accepted_epoch.value) + " of server " +
         zab::to_string(tip.accepted_leader);
}

class Recovery {
 public:
  Recovery(FileSystem& files, const std::string& directory, zab::ServerId server,
           zab::Point applied, const Options& options, Snapshot snapshot)
      : files_(files),
        directory_(directory),
        server_(server),
        applied_(applied),
        options_(options),
        snapshot_(snapshot) {}

  Result<Recovered> run();

 private:
  [[nodiscard]] Result<Recovered> begin();
  [[nodiscard]] Result<std::optional<Attempt>> read();
  [[nodiscard]] Result<Recovered> complete(Attempt& whole);
  [[nodiscard]] std::string why_no_log_is_damage() const;
  [[nodiscard]] Recovered damaged();
  [[nodiscard]] std::vector<Kept> kept(std::size_t first, std::size_t last) const;

  void blame(const std::string& what);

  FileSystem& files_;
  const std::string& directory_;
  zab::ServerId server_;
  zab::Point applied_;
  const Options& options_;
  Snapshot snapshot_;
  Survey survey_;
  std::optional<SegmentHeader> reached_;  // by what the witness says
  std::string damage_;                    // what does not hold, for the report
  std::optional<Attempt> best_;  // of those that end in damage: the one that reaches furthest
};

void Recovery::blame(const std::string& what) {
  if (!damage_.empty()) damage_ += "; ";
  damage_ += what;
}

Result<Recovered> Recovery::run() {
  auto surveyed = survey(files_, directory_, server_);
  if (!surveyed) return surveyed.error();
  survey_ = std::move(*surveyed);
  auto reached = Witness::read(files_, directory_, server_);
  if (!reached) return reached.error();
  reached_ = *reached;
  if (survey_.segments.empty() && applied_ == zab::Point{} && !reached_) return begin();
  if (survey_.segments.empty()) blame(why_no_log_is_damage());

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

std::string Recovery::why_no_log_is_damage() const {
  if (reached_) {
    return directory_ + ": there is no log, but it once reached commit " +
           std::to_string(reached_->first_commit - 1);
  }
  return directory_ + ": there is a checkpoint at " + wire::to_string(applied_.zxid) +
         ", but no log";
}

Result<Recovered> Recovery::begin() {
  const SegmentHeader header{server_, 1, 1, {}, {}};
  auto segment = Segment::create(files_, directory_, header, 0, options_, {});
  if (!segment) return segment.error();
  Recovered recovered;
  recovered.index.restart({}, {1, header_bytes});
  recovered.next_sequence = 2;
  recovered.kept = {{1, {}, 0, false}};
  recovered.segment = std::move(*segment);
  recovered.report = directory_ + ": a new log";
  return recovered;
}

// The log to its end, from the first segment from which that can be read; nothing if there is none,
// or if it begins after the checkpoint.
Result<std::optional<Attempt>> Recovery::read() {
  for (std::size_t first = 0; first < survey_.segments.size();) {
    const Surveyed& segment = survey_.segments[first];
    if (!segment.header) {
      if (first == 0) blame(segment.wrong);
      ++first;
      continue;
    }
    auto tried = attempt(files_, survey_, first, applied_.zxid, options_.history_bytes);
    if (!tried) return tried.error();
    const zab::Point base = tried->replay.history().base();
    const bool covered = base.zxid <= applied_.zxid;
    if (!covered && tried->replay.begins_with_snapshot() && snapshot_ == Snapshot::lost) {
      blame(directory_ + ": the snapshot at " + wire::to_string(base.zxid) +
            " was adopted, and is lost; the checkpoint is at " + wire::to_string(applied_.zxid));
      break;
    }
    if (!covered && tried->replay.begins_with_snapshot()) {
      return wire::Error{wire::ErrorCode::not_ready,
                         directory_ + ": the snapshot at " + wire::to_string(base.zxid) +
                             " was adopted, but the checkpoint is at " +
                             wire::to_string(applied_.zxid) + ". Nothing was changed"};
    }
    if (!tried->damage && covered) return std::optional<Attempt>(std::move(*tried));
    if (!tried->damage) {
      blame(segment.path + ": begins after txn " + wire::to_string(base.zxid) +
            ", and what was before it is missing");
      break;
    }
    blame(tried->damage->what);
    first = tried->damage->segment + 1;
    if (covered && tried->last) best_ = std::move(*tried);
  }
  return std::optional<Attempt>();
}

Result<Recovered> Recovery::complete(Attempt& whole) {
  const Surveyed& last = survey_.segments[whole.last->segment];
  auto tail = mend_tail(files_, survey_, whole);
  if (!tail) return tail.error();
  if (auto done = files_.sync_directory(directory_); !done) return done.error();

  const Replay& replay = whole.replay;
  Recovered recovered;
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

Recovered Recovery::damaged() {
  Recovered recovered;
  recovered.next_sequence = survey_.next_sequence;
  std::size_t behind = 0;  // the first segment that is to be heard from its header on
  Tip tip;
  if (best_) {
    tip = best_->replay.tip();
    recovered.next_commit = best_->replay.next_commit();
    behind = best_->damage ? best_->damage->segment + 1 : survey_.segments.size();
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
  Testimony testimony(tip);
  if (best_) testimony.hear(best_->replay.tip());
  if (best_ && best_->damage) {
    const Damage& damage = *best_->damage;
    testimony.hear(files_, survey_.segments[damage.segment], std::max(damage.offset, header_bytes));
  }
  for (std::size_t i = behind; i < survey_.segments.size(); ++i) {
    if (const auto& header = survey_.segments[i].header) testimony.hear(header->start);
    testimony.hear(files_, survey_.segments[i], header_bytes);
  }
  if (reached_) {
    testimony.hear_witness(reached_->start);
    recovered.next_commit = std::max(recovered.next_commit, reached_->first_commit);
  }
  recovered.tip = testimony.tip();
  recovered.report = damage_ + ". The log is damaged, not merely cut short by a crash. Kept: " +
                     describe(recovered.tip) + "; it once reached txn " +
                     wire::to_string(recovered.tip.damaged->last_zxid) + " in epoch " +
                     std::to_string(recovered.tip.damaged->current_epoch.value) +
                     ". Nothing was changed. This server does not vote until it has taken over a "
                     "leader's history";
  return recovered;
}

std::vector<Kept> Recovery::kept(std::size_t first, std::size_t last) const {
  std::vector<Kept> result;
  for (std::size_t i = first; i <= last; ++i) {
    const Surveyed& segment = survey_.segments[i];
    result.push_back({segment.sequence, segment.header->start.last,
                      segment.until.value_or(segment.file_bytes), segment.until.has_value()});
  }
  return result;
}

}  // namespace

Result<Recovered> recover(FileSystem& files, const std::string& directory, zab::ServerId server,
                          zab::Point applied, const Options& options, Snapshot snapshot) {
  return Recovery(files, directory, server, applied, options, snapshot).run();
}

Result<std::optional<zab::Point>> find_adopted_snapshot(FileSystem& files,
                                                        const std::string& directory,
                                                        zab::ServerId server) {
  const auto surveyed = survey(files, directory, server);
  if (!surveyed) return surveyed.error();
  constexpr zab::Zxid end = zab::Zxid::from_bits(std::numeric_limits<std::uint64_t>::max());
  std::optional<zab::Point> snapshot;
  for (std::size_t first = 0; first < surveyed->segments.size();) {
    const auto tried = attempt(files, *surveyed, first, end, 0);
    if (!tried) return tried.error();
    if (const auto& adopted = tried->replay.last_snapshot()) snapshot = adopted;
    if (!tried->damage) break;
    first = tried->damage->segment + 1;
  }
  return snapshot;
}

}  // namespace storage
