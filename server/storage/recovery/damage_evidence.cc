#include "server/storage/recovery/damage_evidence.h"

#include <algorithm>
#include <variant>

namespace storage {

DamageEvidence::DamageEvidence(const Tip& intact)
    : tip_(intact), claim_(intact.damaged.value_or(zab::Claim{})) {
  raise_claim(intact.last.zxid);
}

void DamageEvidence::add_start(const Tip& start) {
  raise_accepted({start.accepted_epoch, start.accepted_leader});
  tip_.current_epoch = std::max(tip_.current_epoch, start.current_epoch);
  if (!start.cluster.none()) {
    tip_.cluster = start.cluster;
    tip_.founded = start.founded;
  }
  claim_ = std::max(claim_, start.damaged.value_or(zab::Claim{}));
  raise_claim(start.last.zxid);
}

Result<void> DamageEvidence::add_records(FileSystem& files, const SegmentEntry& segment,
                                         std::uint64_t offset) {
  if (!segment.header) return {};
  auto reader = SegmentReader::open(files, segment.path);
  if (!reader) return {};
  const std::uint64_t key = key_of(*segment.header);
  const std::uint64_t end = segment.valid_until.value_or(reader->file_bytes());
  while (offset < end) {
    const auto found = reader->record_at({key, offset});
    if (!found && found.error().code == wire::ErrorCode::unimplemented) {
      return wire::Error{found.error().code, found.error().message + ". Nothing was changed"};
    }
    if (!found) {
      offset = (offset / page_bytes + 1) * page_bytes;
    } else if (found && std::holds_alternative<Record>(*found)) {
      add_record(std::get<Record>(*found));
      offset = end_of(std::get<Record>(*found));
    } else {
      offset += record_alignment;
    }
  }
  return {};
}

void DamageEvidence::add_extent(const Tip& reached) {
  raise_accepted({reached.accepted_epoch, reached.accepted_leader});
  if (tip_.cluster.none()) {
    tip_.cluster = reached.cluster;
    tip_.founded = reached.founded;
  }
  claim_ = std::max({claim_, reached.damaged.value_or(zab::Claim{}),
                     zab::Claim{reached.current_epoch, reached.last.zxid}});
}

void DamageEvidence::add_record(const Record& record) {
  if (record.header.type == RecordType::accept_epoch) {
    if (const auto accepted = decode_accept_epoch(*record.payload)) raise_accepted(*accepted);
  }
  if (record.header.type == RecordType::adopt_history) {
    if (const auto adoption = decode_adoption(*record.payload)) {
      tip_.current_epoch = std::max(tip_.current_epoch, adoption->epoch);
      tip_.founded = tip_.founded && tip_.cluster == adoption->cluster;
      tip_.cluster = adoption->cluster;
    }
  }
  // An adoption names the cluster, and that adoption may be lost.
  if (record.header.type == RecordType::founded && !tip_.founded) tip_.cluster = {};
  raise_claim(record.header.point.zxid);
}

// A truncation goes back to an earlier zxid, but only under a later epoch.
void DamageEvidence::raise_claim(zab::Zxid zxid) {
  tip_.current_epoch = std::max(tip_.current_epoch, zxid.epoch);
  claim_ = std::max(claim_, {tip_.current_epoch, zxid});
}

void DamageEvidence::raise_accepted(const zab::AcceptEpoch& accepted) {
  if (accepted.epoch > tip_.accepted_epoch) accept(tip_, accepted);
}

Tip DamageEvidence::tip() const {
  Tip tip = tip_;
  tip.current_epoch = std::max(tip.current_epoch, claim_.current_epoch);
  if (tip.current_epoch > tip.accepted_epoch) accept(tip, {tip.current_epoch, {}});
  tip.damaged = claim_;
  return tip;
}

}  // namespace storage
