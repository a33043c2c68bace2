#include "server/storage/recovery/replay.h"

#include <string>

namespace storage {
namespace {

wire::Error not_valid(const Record& record, const std::string& why) {
  return {wire::ErrorCode::system_error, "offset " + std::to_string(record.offset) +
                                             ": the record is intact, but not valid here: " + why};
}

}  // namespace

void Replay::start_at(const SegmentHeader& header) {
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
  index_.add(tip_.last, {sequence_, header_bytes});
}

Result<void> Replay::apply(const Commit& commit) {
  for (const Record& record : commit.records) {
    if (sealed()) return not_valid(record, "it is behind the segment's seal");
    if (adopted_txns_left_ > 0 && record.header.type != RecordType::txn) {
      return not_valid(record, "txns of an adopted history are missing before it");
    }
    if (auto done = apply(record); !done) return done;
    last_type_ = record.header.type;
    if (tip_.last != record.header.point) {
      return not_valid(record, "the history ends at " + wire::to_string(record.header.point.zxid) +
                                   " by its header, but at " + wire::to_string(tip_.last.zxid) +
                                   " or with another hash by its content");
    }
  }
  if (adopted_txns_left_ > 0) {
    return not_valid(commit.records.back(),
                     "it ends the commit, but txns of an adopted history are missing");
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
  return not_valid(record, "its type is unknown");
}

Result<void> Replay::apply_txn(const Record& record) {
  const zab::Zxid zxid = record.header.point.zxid;
  if (!allows_txn(tip_, zxid)) {
    return not_valid(record, "txn " + wire::to_string(zxid) + " after " +
                                 wire::to_string(tip_.last.zxid) + " in current epoch " +
                                 std::to_string(tip_.current_epoch.value));
  }
  index_.add_if_far(tip_.last, at(record));
  tip_.last = history_.append(zxid, record.content, record.payload).point();
  if (adopted_txns_left_ > 0) --adopted_txns_left_;
  return {};
}

Result<void> Replay::apply_accept_epoch(const Record& record) {
  const auto accepted = decode_accept_epoch(*record.payload);
  if (!accepted) return not_valid(record, "its payload is not an accepted epoch");
  if (!allows_accept(tip_, accepted->epoch)) {
    return not_valid(record, "it accepts epoch " + std::to_string(accepted->epoch.value) +
                                 " after " + std::to_string(tip_.accepted_epoch.value));
  }
  accept(tip_, *accepted);
  return {};
}

Result<void> Replay::apply_adopt_history(const Record& record) {
  const auto adoption = decode_adoption(*record.payload);
  if (!adoption) return not_valid(record, "its payload is not an adopted history");
  const zab::Point from = record.header.point;
  // Txns before the base were forgotten or purged, so `from` cannot be looked up there. No later
  // txn was applied either.
  const bool known = from.zxid >= history_.base().zxid;
  if (!allows_adopt(tip_, adoption->epoch, from, adoption->snapshot) ||
      (!adoption->snapshot && known && !history_.contains(from))) {
    return not_valid(record, "it adopts epoch " + std::to_string(adoption->epoch.value) +
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
  adopted_txns_left_ = adoption->txns;
  return {};
}

}  // namespace storage
