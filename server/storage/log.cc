#include "server/storage/log.h"

#include <limits>
#include <utility>
#include <variant>

#include "server/storage/record.h"
#include "server/storage/survey.h"
#include "wire/ensure.h"

namespace storage {
namespace {

// What the buffer may keep for the next commit; an adopted history can be much larger.
constexpr std::size_t kept_bytes = 4u << 20;
// How far apart the places are that the index is offered within a commit.
constexpr std::size_t turn_bytes = 64u << 10;

zab::Durable durable_of(Recovered& recovered, zab::Zxid applied) {
  const Tip& tip = recovered.tip;
  zab::Durable durable;
  durable.accepted_epoch = tip.accepted_epoch;
  durable.accepted_leader = tip.accepted_leader;
  durable.current_epoch = tip.current_epoch;
  durable.cluster = tip.cluster;
  durable.founded = tip.founded;
  durable.history = std::move(recovered.history);
  durable.applied = applied;
  durable.damaged = tip.damaged;
  return durable;
}

}  // namespace

Result<Opened> Log::open(FileSystem& files, const std::string& directory, zab::ServerId server,
                         zab::Point applied, const Options& options) {
  if (auto done = files.make_directory(directory); !done) return done.error();
  auto lock = files.lock(directory + "/lock");
  if (!lock) return lock.error();
  auto recovered = recover(files, directory, server, applied, options);
  if (!recovered) return recovered.error();

  zab::Durable durable = durable_of(*recovered, applied.zxid);
  std::string report = std::move(recovered->report);
  Log log(files, directory, server, options, std::move(*lock), std::move(*recovered));
  return Opened{std::move(log), std::move(durable), std::move(report)};
}

Result<std::optional<zab::Point>> Log::adopted_snapshot(FileSystem& files,
                                                        const std::string& directory,
                                                        zab::ServerId server) {
  if (auto done = files.make_directory(directory); !done) return done.error();
  const auto lock = files.lock(directory + "/lock");
  if (!lock) return lock.error();
  return find_adopted_snapshot(files, directory, server);
}

Log::Log(FileSystem& files, std::string directory, zab::ServerId server, const Options& options,
         std::unique_ptr<Lock> lock, Recovered recovered)
    : files_(&files),
      directory_(std::move(directory)),
      server_(server),
      options_(options),
      lock_(std::move(lock)),
      segment_(std::move(recovered.segment)),
      holds_(recovered.holds),
      kept_(std::move(recovered.kept)),
      next_sequence_(recovered.next_sequence),
      next_commit_(recovered.next_commit),
      proven_(recovered.proven),
      durable_(recovered.tip),
      tip_(durable_),
      index_(std::move(recovered.index)) {}

void Log::stage(const std::vector<zab::Persist>& persists) {
  for (const zab::Persist& persist : persists) {
    std::visit([this](const auto& one) { stage(one); }, persist);
  }
}

void Log::stage(const zab::AcceptEpoch& accepted) {
  ensure(allows_accept(tip_, accepted.epoch), "a promise to an epoch is never taken back");
  accept(tip_, accepted);
  append_record(staged_, RecordType::accept_epoch, tip_.last, encode(accepted));
}

void Log::stage(const zab::AdoptHistory& adopted) {
  ensure(allows_adopt(tip_, adopted.epoch, adopted.from, adopted.snapshot),
         "only an accepted epoch is adopted, on a history that is there");
  ensure(adopted.txns.size() <= std::numeric_limits<std::uint32_t>::max(),
         "their count has 32 bits");
  adopt(tip_, adopted.epoch, adopted.cluster, adopted.from);
  turns_.push_back({adopted.snapshot ? Turn::Kind::restarts : Turn::Kind::truncates, adopted.from,
                    staged_.size()});
  append_record(staged_, RecordType::adopt_history, tip_.last,
                encode(Adoption{adopted.epoch, static_cast<std::uint32_t>(adopted.txns.size()),
                                adopted.cluster, adopted.snapshot}));
  for (const zab::Txn& txn : adopted.txns) stage(txn);
}

void Log::stage(const zab::Append& append) { stage(append.txn); }

void Log::stage(const zab::Found& /*found*/) {
  tip_.founded = true;
  append_record(staged_, RecordType::founded, tip_.last, {});
}

void Log::stage(const zab::StoreSnapshot& /*store*/) {
  ensure(false, "a snapshot is stored elsewhere: the log only adopts it");
}

void Log::stage(const zab::Txn& txn) {
  ensure(allows_txn(tip_, txn.zxid), "histories have no gaps, and no txns of epochs to come");
  if (turns_.empty() || staged_.size() - turns_.back().at >= turn_bytes) {
    turns_.push_back({Turn::Kind::goes_on, tip_.last, staged_.size()});
  }
  tip_.last = txn.point();
  append_record(staged_, RecordType::txn, tip_.last, *txn.payload);
}

Result<void> Log::unless_broken(Result<void> (Log::*act)()) {
  if (broken_) return *broken_;
  auto done = (this->*act)();
  if (!done) broken_ = done.error();
  return done;
}

Result<void> Log::commit() { return unless_broken(&Log::write_staged); }

Result<void> Log::prepare() { return unless_broken(&Log::work_ahead); }

Result<void> Log::mark() { return unless_broken(&Log::write_mark); }

Result<void> Log::write_staged() {
  if (staged_.empty()) return {};
  if (!segment_ || !segment_->has_room(staged_.size())) {
    if (auto done = begin_segment(staged_.size()); !done) return done;
  }
  const Place first = segment_->end();
  if (auto done = write_commit(staged_); !done) return done;
  for (const Turn& one : turns_) turn(one, first);
  turns_.clear();
  proven_ = false;
  durable_ = tip_;
  staged_.clear();
  if (staged_.capacity() > kept_bytes) staged_.shrink_to_fit();
  return {};
}

void Log::turn(const Turn& turn, Place first) {
  const Position at{segment_->sequence(), first.offset + turn.at};
  switch (turn.kind) {
    case Turn::Kind::goes_on: return index_.offer(turn.before, at);
    case Turn::Kind::truncates: return index_.truncate(turn.before, at);
    case Turn::Kind::restarts: return index_.restart(turn.before, at);
  }
}

Result<void> Log::write_commit(wire::Bytes& records) {
  stamp(records, next_commit_, segment_->end());
  if (auto done = segment_->append(records); !done) return done;
  if (auto done = segment_->sync(); !done) return done;
  ++next_commit_;
  return {};
}

// The new segment is there, durably, before the old one says so; and the old one says so before the
// new one has records. So neither can vanish unnoticed. After damage nothing is said in the old
// ones: the new one's header says it all.
Result<void> Log::begin_segment(std::uint64_t commit_bytes) {
  SegmentHeader header{server_, next_sequence_, next_commit_, durable_, {}};
  if (segment_) {
    ++header.first_commit;
  } else {
    header.mends = holds_;
    const std::string note = directory_ + '/' + note_name(next_sequence_);
    if (auto noted = files_->create(note); !noted) return noted.error();
    if (auto done = files_->sync_directory(directory_); !done) return done;
  }
  auto next = Segment::create(*files_, directory_, header, commit_bytes, options_);
  if (!next) return next.error();
  if (segment_) {
    wire::Bytes seal;
    append_record(seal, RecordType::sealed, durable_.last, {});
    if (auto done = write_commit(seal); !done) return done;
    kept_.back().bytes = segment_->end().offset;
  }
  segment_ = std::move(*next);
  kept_.push_back({header.sequence, durable_.last, 0});
  index_.go_on(durable_.last, {header.sequence, header_bytes});
  ++next_sequence_;
  proven_ = true;
  return {};
}

Result<void> Log::work_ahead() {
  if (!segment_) return {};
  if (segment_->has_records() && !segment_->has_room(options_.fill_bytes / 4)) {
    return begin_segment(0);
  }
  if (!segment_->wants_filling()) return {};
  if (auto done = segment_->fill(); !done) return done;
  return segment_->sync();
}

Result<void> Log::write_mark() {
  ensure(staged_.empty(), "a mark is a commit of its own");
  if (proven_) return {};
  wire::Bytes record;
  append_record(record, RecordType::mark, durable_.last, {});
  if (!segment_->has_room(record.size())) return begin_segment(0);  // seals, which proves as much
  if (auto done = write_commit(record); !done) return done;
  proven_ = true;
  return {};
}

Result<std::optional<Stretch>> Log::read_after(zab::Point after, std::uint64_t max_bytes) {
  return storage::read_after(*files_, directory_, index_, durable_.last, after, max_bytes);
}

Result<void> Log::purge(zab::Point checkpoint, std::uint64_t keep_bytes) {
  if (broken_) return *broken_;
  if (!segment_ || durable_.damaged) return {};  // it stays for whoever wants to look at it
  std::uint64_t remaining = segment_->end().offset;
  for (std::size_t i = 0; i + 1 < kept_.size(); ++i) remaining += kept_[i].bytes;
  std::size_t gone = 0;
  while (gone + 1 < kept_.size() && kept_[gone + 1].start.zxid <= checkpoint.zxid &&
         remaining - kept_[gone].bytes > keep_bytes) {
    remaining -= kept_[gone++].bytes;
  }
  const std::uint64_t oldest = kept_[gone].sequence;
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(gone));
  index_.forget_before(oldest);
  const auto sequences = list_segments(*files_, directory_);
  if (!sequences) return sequences.error();
  for (const std::uint64_t sequence : *sequences) {
    if (sequence >= oldest) break;
    // One at a time, so that no crash leaves a gap.
    const std::string path = directory_ + '/' + segment_name(sequence);
    if (auto done = files_->remove(path); !done) return done;
    if (auto done = files_->sync_directory(directory_); !done) return done;
  }
  const auto names = files_->list(directory_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const auto noted = noted_by(name);
    if (!noted || *noted >= oldest) continue;
    if (auto done = files_->remove(directory_ + '/' + name); !done) return done;
  }
  return {};
}

}  // namespace storage
