#include "server/storage/recovery/replay.h"

#include <string>

namespace storage {
namespace {

wire::Error cannot_be(const Record& record, const std::string& why) {
  return {wire::ErrorCode::system_error,
          "offset " + std::to_string(record.offset) + ": an intact record that cannot be: " + why};
}

}  // namespace

void Replay::jump(const SegmentHeader& header) {
  tip_ = header.start;
  next_commit_ = header.first_commit;
  begin_segment(header.sequence);
  if (history_.last() == tip_.last) return;
  history_ = zab::History(tip_.last);
  index_.restart(tip_.last, {sequence_, header_bytes});
}

void Replay::begin_segment(std::uint64_t sequence) {
  sequence_ = sequence;
  last_type_.reset();
  index_.go_on(tip_.last, {sequence_, header_bytes});
}

Result<void> Replay::apply(const Commit& commit) {
  for (const Record& record : commit.records) {
    if (sealed()) return cannot_be(record, "it stands behind the segment's seal");
    if (adopting_ > 0 && record.header.type != RecordType::txn) {
      return cannot_be(record, "the txns of an adopted history are missing before it");
    }
    if (auto done = apply(record); !done) return done;
    last_type_ = record.header.type;
    if (tip_.last != record.header.point) {
      return cannot_be(record, "the history then ends at " + wire::to_string(tip_.last.zxid) +
                                   " or with another hash, the record says at " +
                                   wire::to_string(record.header.point.zxid));
    }
  }
  if (adopting_ > 0) {
    return cannot_be(commit.records.back(),
                     "it ends a commit, yet txns of an adopted history lack");
  }
  history_.trim(applied_, history_bytes_);
  ++next_commit_;
  return {};
}

Result<void> Replay::apply(const Record& record) {
  switch (record.header.type) {
    case RecordType::txn: return apply_txn(record);
    case RecordType::accept_epoch: return apply_accept_epoch(record);
    case RecordType::adopt_history: return apply_adopt_history(record);
    case RecordType::founded: tip_.founded = true; return {};
    case RecordType::sealed:
    case RecordType::mark: return {};
  }
  return cannot_be(record, "its type is unknown");
}

Result<void> Replay::apply_txn(const Record& record) {
  const zab::Zxid zxid = record.header.point.zxid;
  if (!allows_txn(tip_, zxid)) {
    return cannot_be(record, "txn " + wire::to_string(zxid) + " after " +
                                 wire::to_string(tip_.last.zxid) + " in current epoch " +
                                 std::to_string(tip_.current_epoch.value));
  }
  index_.offer(tip_.last, at(record));
  tip_.last = history_.append(zxid, record.content, record.payload).point();
  if (adopting_ > 0) --adopting_;
  return {};
}

Result<void> Replay::apply_accept_epoch(const Record& record) {
  const auto accepted = decode_accept_epoch(*record.payload);
  if (!accepted) return cannot_be(record, "its payload is no accepted epoch");
  if (!allows_accept(tip_, accepted->epoch)) {
    return cannot_be(record, "it accepts epoch " + std::to_string(accepted->epoch.value) +
                                 " after " + std::to_string(tip_.accepted_epoch.value));
  }
  accept(tip_, *accepted);
  return {};
}

Result<void> Replay::apply_adopt_history(const Record& record) {
  const auto adoption = decode_adoption(*record.payload);
  if (!adoption) return cannot_be(record, "its payload is no adopted history");
  const zab::Point from = record.header.point;
  // What was forgotten, or purged, is not known any more; nothing after it was applied either.
  const bool known = from.zxid >= history_.base().zxid;
  if (!allows_adopt(tip_, adoption->epoch, from, adoption->snapshot) ||
      (!adoption->snapshot && known && !history_.contains(from))) {
    return cannot_be(record, "it adopts epoch " + std::to_string(adoption->epoch.value) +
                                 " after " + wire::to_string(from.zxid));
  }
  if (adoption->snapshot) {
    snapshot_ = from;
    history_ = zab::History(from);
    index_.restart(from, at(record));
  } else {
    index_.truncate(from, at(record));
    if (known) {
      history_.truncate_after(from.zxid);
    } else {
      history_ = zab::History(from);
    }
  }
  adopt(tip_, adoption->epoch, adoption->cluster, from);
  adopting_ = adoption->txns;
  return {};
}

}  // namespace storage
