#include "server/storage/log.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <variant>

#include "server/storage/format/record.h"
#include "server/storage/recovery/segment_catalog.h"
#include "wire/ensure.h"

namespace storage {
namespace {

// After a commit, the buffers keep at most this memory for the next commit. A txn, or an adopted
// history, can need much more.
constexpr std::size_t kept_bytes = 4u << 20;
constexpr std::size_t kept_records = 64u << 10;
// Within a commit, the index gets an update each time that this many bytes were staged.
constexpr std::size_t index_update_bytes = 64u << 10;

zab::Durable durable_of(RecoveredLog& recovered, zab::Zxid applied) {
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

// Makes the directory if there is none, and locks it.
OpenResult<std::unique_ptr<Lock>> lock_directory(FileSystem& files, const std::string& directory) {
  if (auto done = files.make_directory(directory); !done) return done.error();
  auto lock = files.lock(directory + "/lock");
  if (!lock) return lock.error();
  if (!*lock) {
    return OpenError(OpenError::Reason::in_use, directory +
                                                    ": in use by another process, which holds the "
                                                    "lock on " +
                                                    directory + "/lock");
  }
  return std::move(*lock);
}

}  // namespace

OpenResult<OpenedLog> Log::open(FileSystem& files, const std::string& directory,
                                zab::ServerId server, zab::Point applied, const LogOptions& options,
                                AdoptedSnapshot snapshot) {
  auto lock = lock_directory(files, directory);
  if (!lock) return lock.error();
  auto recovered = recover(files, directory, server, applied, options, snapshot);
  if (!recovered) return recovered.error();

  auto extent = Extent::open(files, directory);
  if (!extent) return extent.error();

  zab::Durable durable = durable_of(*recovered, applied.zxid);
  std::string report = std::move(recovered->report);
  Log log(files, directory, server, options, std::move(*lock), std::move(*extent),
          std::move(*recovered));
  if (log.segment_) {
    if (auto done = log.spares_.remove_old(); !done) return done.error();
    // A process that died may not have written the extent after its last commit.
    if (auto done = log.write_extent(); !done) return done.error();
    if (auto done = log.extent_.sync(); !done) return done.error();
  }
  return OpenedLog{std::move(log), std::move(durable), std::move(report)};
}

OpenResult<std::optional<zab::Point>> Log::adopted_snapshot(FileSystem& files,
                                                            const std::string& directory,
                                                            zab::ServerId server) {
  const auto lock = lock_directory(files, directory);
  if (!lock) return lock.error();
  return find_adopted_snapshot(files, directory, server);
}

Log::Staged::Staged(RecordType of_type, zab::Point at, wire::Bytes bytes)
    : type(of_type),
      point(at),
      payload(std::make_shared<const wire::Bytes>(std::move(bytes))),
      checksum(zab::content_hash(*payload).low) {}

Log::Staged::Staged(zab::Txn txn)
    : type(RecordType::txn),
      point(txn.point()),
      payload(std::move(txn.payload)),
      checksum(txn.content.low) {}

Log::Log(FileSystem& files, std::string directory, zab::ServerId server, const LogOptions& options,
         std::unique_ptr<Lock> lock, Extent extent, RecoveredLog recovered)
    : files_(&files),
      directory_(std::move(directory)),
      server_(server),
      options_(options),
      lock_(std::move(lock)),
      extent_(std::move(extent)),
      level_(std::max(options.level, recovered.level)),
      segment_level_(recovered.level),
      segment_(std::move(recovered.segment)),
      valid_until_(recovered.valid_until),
      spares_(files, directory_, options),
      kept_(std::move(recovered.kept)),
      next_sequence_(recovered.next_sequence),
      next_commit_(recovered.next_commit),
      proven_(recovered.proven),
      marked_(recovered.marked),
      durable_(recovered.tip),
      tip_(durable_),
      index_(std::move(recovered.index)) {}

void Log::stage(std::vector<zab::Persist> persists) {
  for (zab::Persist& persist : persists) {
    std::visit([this](auto& one) { stage(std::move(one)); }, persist);
  }
}

void Log::stage(zab::AcceptEpoch&& accepted) {
  ensure(allows_accept(tip_, accepted.epoch),
         "an accepted epoch is never followed by an earlier one");
  accept(tip_, accepted);
  stage(Staged(RecordType::accept_epoch, tip_.last, encode(accepted)));
}

void Log::stage(zab::AdoptHistory&& adopted) {
  ensure(allows_adopt(tip_, adopted.epoch, adopted.from, adopted.snapshot),
         "an adopted epoch was accepted before, and the log has the history before it");
  ensure(adopted.txns.size() <= std::numeric_limits<std::uint32_t>::max(),
         "the number of adopted txns fits in 32 bits");
  adopt(tip_, adopted.epoch, adopted.cluster, adopted.from);
  index_updates_.push_back(
      {adopted.snapshot ? IndexUpdate::Kind::restarts : IndexUpdate::Kind::truncates, adopted.from,
       staged_bytes_});
  const Adoption adoption{adopted.epoch, static_cast<std::uint32_t>(adopted.txns.size()),
                          adopted.cluster, adopted.snapshot};
  stage(Staged(RecordType::adopt_history, tip_.last, encode(adoption)));
  for (zab::Txn& txn : adopted.txns) stage(std::move(txn));
}

void Log::stage(zab::Append&& append) { stage(std::move(append.txn)); }

void Log::stage(zab::MarkFounded&& /*found*/) {
  tip_.founded = true;
  stage(Staged(RecordType::founded, tip_.last, {}));
}

void Log::stage(zab::StoreSnapshot&& /*store*/) {
  ensure(false, "the bytes of a snapshot are stored in a checkpoint, not in the log");
}

void Log::stage(zab::Txn&& txn) {
  ensure(allows_txn(tip_, txn.zxid), "a txn follows the last one, and is not of a later epoch");
  if (index_updates_.empty() || staged_bytes_ - index_updates_.back().at >= index_update_bytes) {
    index_updates_.push_back({IndexUpdate::Kind::continues, tip_.last, staged_bytes_});
  }
  tip_.last = txn.point();
  stage(Staged(std::move(txn)));
}

void Log::stage(Staged record) {
  staged_bytes_ += record_bytes(record.payload->size());
  staged_.push_back(std::move(record));
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

// Next: Learning::append (zab/learning_broadcast.cc) has made the ack of a follower.
// LogWriter::write (server/replication/log_writer.cc) has it sent now.
Result<void> Log::write_staged() {
  if (staged_.empty()) return {};
  if (!segment_ || segment_level_ != level_ || !segment_->fits(staged_bytes_)) {
    if (auto done = begin_segment(staged_bytes_); !done) return done;
  }
  const RecordLocation first = segment_->end();
  if (auto done = write_commit(staged_, staged_bytes_); !done) return done;
  for (const IndexUpdate& one : index_updates_) update_index(one, first);
  index_updates_.clear();
  proven_ = marked_ = false;
  durable_ = tip_;
  staged_.clear();
  staged_bytes_ = 0;
  if (staged_.capacity() > kept_records) staged_.shrink_to_fit();
  if (piece_.capacity() > kept_bytes) piece_ = {};
  return write_extent();
}

// The extent does not include a mark: the loss of a mark loses nothing.
Result<void> Log::write_extent() {
  const std::uint64_t next = marked_ ? next_commit_ - 1 : next_commit_;
  return extent_.write({server_, segment_->sequence(), next, durable_, {}});
}

void Log::update_index(const IndexUpdate& update, RecordLocation first) {
  const LogPosition at{segment_->sequence(), first.offset + update.at};
  switch (update.kind) {
    case IndexUpdate::Kind::continues: return index_.add_if_far(update.before, at);
    case IndexUpdate::Kind::truncates: return index_.truncate(update.before, at);
    case IndexUpdate::Kind::restarts: return index_.restart(update.before, at);
  }
}

Result<void> Log::write_commit(std::span<const Staged> records, std::uint64_t bytes) {
  const RecordLocation begin = segment_->end();
  std::uint64_t at = begin.offset;
  for (const Staged& one : records) {
    const bool ends = &one == &records.back();
    append_record(piece_, one.type, one.point, *one.payload, one.checksum,
                  {next_commit_, ends, {begin.segment_key, at}});
    at += record_bytes(one.payload->size());
    auto done = ends ? segment_->append(piece_, bytes) : segment_->append_pieces(piece_, bytes);
    if (!done) return done;
  }
  if (auto done = segment_->sync(); !done) return done;
  ++next_commit_;
  return {};
}

// A commit of one record without a payload.
Result<void> Log::write_empty_commit(RecordType type) {
  const std::array<Staged, 1> record{Staged(type, durable_.last, {})};
  return write_commit(record, record_bytes(0));
}

// The order of the steps makes the loss of either segment noticeable: the new segment is durable
// before the old one is sealed, and the old one is sealed before the new one gets records. A
// damaged log is not sealed: the header of the new segment says where the valid part ends.
Result<void> Log::begin_segment(std::uint64_t commit_bytes) {
  SegmentHeader header{
      server_, next_sequence_, next_commit_, durable_, {}, {level_, options_.program}};
  if (segment_) {
    ++header.first_commit;
  } else {
    header.mends = valid_until_;
    const std::string note = directory_ + '/' + mend_note_name(next_sequence_);
    if (auto noted = files_->create(note); !noted) return noted.error();
    if (auto done = files_->sync_directory(directory_); !done) return done;
    if (auto done = spares_.remove_old(); !done) return done;
  }
  auto next =
      Segment::create(*files_, directory_, header, commit_bytes, options_, spares_.acquire());
  if (!next) return next.error();
  if (segment_) {
    if (auto done = write_empty_commit(RecordType::sealed); !done) return done;
    kept_.back().bytes = segment_->end().offset;
  }
  segment_ = std::move(*next);
  segment_level_ = level_;
  kept_.push_back({header.sequence, durable_.last, 0, false, level_});
  index_.add(durable_.last, {header.sequence, header_bytes});
  ++next_sequence_;
  proven_ = true;
  marked_ = false;
  if (auto done = write_extent(); !done) return done;
  return extent_.sync();
}

Result<void> Log::work_ahead() {
  if (!segment_) return {};
  // The segment is nearly full, or of another level: begin the next one while no commit waits for
  // it.
  const std::uint64_t reserve = std::min(options_.fill_bytes, options_.segment_bytes) / 4;
  if (segment_level_ != level_ || (segment_->has_records() && !segment_->fits(reserve))) {
    return begin_segment(0);
  }
  if (!segment_->needs_filling()) return {};
  if (auto done = segment_->fill(); !done) return done;
  return segment_->sync();
}

Result<void> Log::write_mark() {
  ensure(staged_.empty(), "a mark is a commit of its own");
  if (proven_) return {};
  // The seal of a full segment proves the same as a mark.
  if (!segment_->fits(record_bytes(0))) return begin_segment(0);
  if (auto done = write_empty_commit(RecordType::mark); !done) return done;
  proven_ = marked_ = true;
  return extent_.sync();
}

Result<std::optional<Stretch>> Log::read_after(zab::Point after, std::uint64_t max_bytes) {
  return storage::read_after(*files_, directory_, index_, durable_.last, after, max_bytes);
}

Result<void> Log::purge(zab::Point checkpoint, std::uint64_t keep_bytes) {
  if (broken_) return *broken_;
  if (!segment_ || durable_.damaged) return {};  // keep a damaged log, for inspection
  std::uint64_t remaining = segment_->end().offset;
  for (std::size_t i = 0; i + 1 < kept_.size(); ++i) remaining += kept_[i].bytes;
  std::size_t gone = 0;
  while (gone + 1 < kept_.size() && kept_[gone + 1].start.zxid <= checkpoint.zxid &&
         remaining - kept_[gone].bytes > keep_bytes) {
    remaining -= kept_[gone++].bytes;
  }
  const std::uint64_t oldest = kept_[gone].sequence;
  std::set<std::uint64_t> undamaged;
  for (std::size_t i = 0; i < gone; ++i) {
    if (!kept_[i].damaged) undamaged.insert(kept_[i].sequence);
  }
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(gone));
  index_.forget_before(oldest);
  const auto sequences = list_segments(*files_, directory_);
  if (!sequences) return sequences.error();
  for (const std::uint64_t sequence : *sequences) {
    if (sequence >= oldest) break;
    // Removes the oldest segment first, and each durably before the next, so that no crash leaves a
    // gap.
    const std::string path = directory_ + '/' + segment_name(sequence);
    const bool reusable = undamaged.contains(sequence);
    if (auto done = reusable ? spares_.recycle(path) : spares_.discard(path); !done) return done;
  }
  return remove_mend_notes_before(oldest);
}

Result<void> Log::remove_mend_notes_before(std::uint64_t sequence) {
  const auto names = files_->list(directory_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const auto noted = sequence_of_mend_note(name);
    if (!noted || *noted >= sequence) continue;
    if (auto done = files_->remove(directory_ + '/' + name); !done) return done;
  }
  return {};
}

wire::Level Log::greatest_level() const {
  wire::Level greatest;
  for (const KeptSegment& segment : kept_) greatest = std::max(greatest, segment.level);
  return greatest;
}

std::optional<SpareWork> Log::spare_work() {
  if (broken_ || !segment_ || !segment_->is_half_full()) return std::nullopt;
  return spares_.next_work();
}

LogPosition Log::end() const {
  return segment_ ? LogPosition{segment_->sequence(), segment_->end().offset} : valid_until_;
}

}  // namespace storage
