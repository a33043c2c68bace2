#include "tests/sim/service/owned_operations.h"

#include "tests/sim/violation.h"

namespace sim {

std::uint64_t number_in_receipt(const Znode* receipt) {
  return receipt == nullptr ? 0 : std::stoull(receipt->data);
}

void OwnedOperations::fail(std::uint64_t number, const std::string& what) const {
  throw Violation(checker_, owner_ + ", operation " + std::to_string(number) + ": " + what);
}

void OwnedOperations::begin(std::uint64_t number) {
  last_ = number;
  operations_[number].is_refused = false;
}

void OwnedOperations::on_restart() {
  if (last_ == 0) return;
  Operation& last = operations_[last_];
  if (!last.is_told && !last.is_refused) last.is_begun_by_other = true;
}

void OwnedOperations::on_carried_out(std::uint64_t number, wire::Zxid zxid) {
  const auto found = operations_.find(number);
  if (found == operations_.end()) fail(number, "it is carried out, and was not begun");
  Operation& operation = found->second;
  if (operation.carried_out_by) fail(number, "it is carried out twice");
  if (operation.is_refused) fail(number, "it is carried out after its failure");
  if (number < last_carried_out_) fail(number, "it is carried out after a later one");
  operation.carried_out_by = zxid;
  last_carried_out_ = number;
}

void OwnedOperations::on_done(std::uint64_t number) {
  Operation& operation = operations_[number];
  if (!operation.carried_out_by) fail(number, "it is told as done, and was not carried out");
  operation.is_told = true;
}

void OwnedOperations::on_failed(std::uint64_t number, bool may_be_done) {
  Operation& operation = operations_[number];
  if (may_be_done || operation.is_told || operation.is_begun_by_other) return;
  if (operation.carried_out_by) fail(number, "it is told as not done, and was carried out");
  operation.is_refused = true;
}

std::optional<wire::Zxid> OwnedOperations::carried_out_by(std::uint64_t number) const {
  const auto found = operations_.find(number);
  return found == operations_.end() ? std::nullopt : found->second.carried_out_by;
}

}  // namespace sim
