#include "server/storage/log.h"

#include <limits>
#include <utility>
#include <variant>

#include "server/storage/record.h"
#include "server/storage/recovery.h"
#include "wire/ensure.h"

namespace storage {
namespace {

// What the buffer may keep for the next commit; an adopted history can be much larger.
constexpr std::size_t kept_bytes = 4u << 20;

}  // namespace

Result<Opened> Log::open(FileSystem& files, const std::string& directory, const Identity& identity,
                         const Options& options) {
  if (auto done = files.make_directory(directory); !done) return done.error();
  auto lock = files.lock(directory + "/lock");
  if (!lock) return lock.error();
  auto recovered = recover(files, directory, identity, options);
  if (!recovered) return recovered.error();

  Log log(files, directory, identity, options, std::move(*lock), std::move(recovered->segment),
          recovered->next_commit, recovered->durable);
  return Opened{std::move(log), std::move(recovered->durable), std::move(recovered->report)};
}

Log::Log(FileSystem& files, std::string directory, const Identity& identity, const Options& options,
         std::unique_ptr<Lock> lock, Segment segment, std::uint64_t next_commit,
         const zab::Durable& durable)
    : files_(&files),
      directory_(std::move(directory)),
      identity_(identity),
      options_(options),
      lock_(std::move(lock)),
      segment_(std::move(segment)),
      next_commit_(next_commit),
      durable_(tip_of(durable)),
      tip_(durable_),
      trail_(durable.history) {}

void Log::stage(const std::vector<zab::Persist>& persists) {
  for (const zab::Persist& persist : persists) {
    std::visit([this](const auto& one) { stage(one); }, persist);
  }
}

void Log::stage(const zab::AcceptEpoch& accept) {
  ensure(allows_accept(tip_, accept.epoch), "a promise to an epoch is never taken back");
  tip_.accepted_epoch = accept.epoch;
  tip_.accepted_leader = accept.leader;
  append_record(staged_, RecordType::accept_epoch, tip_.last, encode(accept));
}

void Log::stage(const zab::AdoptHistory& adopt) {
  ensure(allows_adopt(tip_, adopt.epoch, adopt.truncate_to), "only an accepted epoch is adopted");
  ensure(adopt.txns.size() <= std::numeric_limits<std::uint32_t>::max(), "their count has 32 bits");
  const auto last = trail_.truncate_after(adopt.truncate_to);
  ensure(last.has_value(), "a history is truncated to a point that it goes through");
  tip_.current_epoch = adopt.epoch;
  tip_.last = *last;
  append_record(staged_, RecordType::adopt_history, tip_.last,
                encode(Adoption{adopt.epoch, static_cast<std::uint32_t>(adopt.txns.size()),
                                adopt.truncate_to}));
  for (const zab::Txn& txn : adopt.txns) stage(txn);
}

void Log::stage(const zab::Append& append) { stage(append.txn); }

void Log::stage(const zab::Txn& txn) {
  ensure(allows_txn(tip_, txn.zxid), "histories have no gaps, and no txns of epochs to come");
  tip_.last = txn.point();
  trail_.add(tip_.last);
  append_record(staged_, RecordType::txn, tip_.last, *txn.payload);
}

Result<void> Log::commit() {
  if (broken_) return *broken_;
  if (staged_.empty()) return {};
  if (auto done = write_staged(); !done) {
    broken_ = done.error();
    return done;
  }
  durable_ = tip_;
  staged_.clear();
  if (staged_.capacity() > kept_bytes) staged_.shrink_to_fit();
  return {};
}

Result<void> Log::prepare() {
  if (broken_) return *broken_;
  auto done = work_ahead();
  if (!done) broken_ = done.error();
  return done;
}

Result<void> Log::write_staged() {
  if (!segment_.has_room(staged_.size())) {
    if (auto done = begin_segment(staged_.size()); !done) return done;
  }
  return write_commit(staged_);
}

Result<void> Log::write_commit(wire::Bytes& records) {
  stamp(records, next_commit_, segment_.end());
  if (auto done = segment_.append(records); !done) return done;
  if (auto done = segment_.sync(); !done) return done;
  ++next_commit_;
  return {};
}

// The new segment is there, durably, before the old one says so; and the old one says so before the
// new one has records. So neither can vanish unnoticed.
Result<void> Log::begin_segment(std::uint64_t commit_bytes) {
  const SegmentHeader header{identity_, segment_.sequence() + 1, next_commit_ + 1, durable_};
  auto next = Segment::create(*files_, directory_, header, commit_bytes, options_);
  if (!next) return next.error();

  wire::Bytes seal;
  append_record(seal, RecordType::sealed, durable_.last, {});
  if (auto done = write_commit(seal); !done) return done;
  segment_ = std::move(*next);
  return {};
}

Result<void> Log::work_ahead() {
  if (segment_.has_records() && !segment_.has_room(options_.fill_bytes / 4)) {
    return begin_segment(0);
  }
  if (!segment_.wants_filling()) return {};
  if (auto done = segment_.fill(); !done) return done;
  return segment_.sync();
}

}  // namespace storage
