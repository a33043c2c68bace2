#include "server/storage/replay.h"

#include <string>

namespace storage {
namespace {

wire::Error cannot_be(const Record& record, const std::string& why) {
  return {wire::ErrorCode::system_error,
          "offset " + std::to_string(record.offset) + ": an intact record that cannot be: " + why};
}

}  // namespace

Result<void> Replay::apply(const Commit& commit) {
  for (const Record& record : commit.records) {
    if (sealed_) return cannot_be(record, "it stands behind the segment's seal");
    if (adopting_ > 0 && record.header.type != RecordType::txn) {
      return cannot_be(record, "the txns of an adopted history are missing before it");
    }
    if (auto done = apply(record); !done) return done;
    if (durable_.history.last() != record.header.point) {
      return cannot_be(record, "the history then ends at " +
                                   wire::to_string(durable_.history.last().zxid) +
                                   " or with another hash, the record says at " +
                                   wire::to_string(record.header.point.zxid));
    }
  }
  if (adopting_ > 0) {
    return cannot_be(commit.records.back(),
                     "it ends a commit, yet txns of an adopted history lack");
  }
  ++next_commit_;
  return {};
}

Result<void> Replay::apply(const Record& record) {
  switch (record.header.type) {
    case RecordType::txn: return apply_txn(record);
    case RecordType::accept_epoch: return apply_accept_epoch(record);
    case RecordType::adopt_history: return apply_adopt_history(record);
    case RecordType::sealed: sealed_ = true; return {};
  }
  return cannot_be(record, "its type is unknown");
}

Result<void> Replay::apply_txn(const Record& record) {
  const zab::Zxid zxid = record.header.point.zxid;
  if (!allows_txn(tip(), zxid)) {
    return cannot_be(record, "txn " + wire::to_string(zxid) + " after " +
                                 wire::to_string(durable_.history.last().zxid) +
                                 " in current epoch " +
                                 std::to_string(durable_.current_epoch.value));
  }
  durable_.history.append(zxid, record.payload);
  if (adopting_ > 0) --adopting_;
  return {};
}

Result<void> Replay::apply_accept_epoch(const Record& record) {
  const auto accept = decode_accept_epoch(*record.payload);
  if (!accept) return cannot_be(record, "its payload is no accepted epoch");
  if (!allows_accept(tip(), accept->epoch)) {
    return cannot_be(record, "it accepts epoch " + std::to_string(accept->epoch.value) + " after " +
                                 std::to_string(durable_.accepted_epoch.value));
  }
  durable_.accepted_epoch = accept->epoch;
  durable_.accepted_leader = accept->leader;
  return {};
}

Result<void> Replay::apply_adopt_history(const Record& record) {
  const auto adoption = decode_adoption(*record.payload);
  if (!adoption) return cannot_be(record, "its payload is no adopted history");
  if (!allows_adopt(tip(), adoption->epoch, adoption->truncate_to) ||
      !durable_.history.contains(adoption->truncate_to)) {
    return cannot_be(record, "it adopts epoch " + std::to_string(adoption->epoch.value) +
                                 " after " + wire::to_string(adoption->truncate_to));
  }
  durable_.history.truncate_after(adoption->truncate_to);
  durable_.current_epoch = adoption->epoch;
  adopting_ = adoption->txns;
  return {};
}

}  // namespace storage
