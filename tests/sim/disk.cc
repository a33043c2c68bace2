#include "tests/sim/disk.h"

#include <utility>
#include <variant>

#include "tests/sim/checkers.h"

namespace sim {
namespace {

constexpr std::uint64_t operations_of_a_commit = 10;  // about; more when a segment begins
constexpr std::uint64_t operations_of_recovery = 30;

void apply_one(const zab::AcceptEpoch& persist, zab::Durable& durable) {
  durable.accepted_epoch = persist.epoch;
  durable.accepted_leader = persist.leader;
}

void apply_one(const zab::AdoptHistory& persist, zab::Durable& durable) {
  durable.history.truncate_after(persist.truncate_to);
  for (const zab::Txn& txn : persist.txns) durable.history.append(txn.zxid, txn.payload);
  durable.current_epoch = persist.epoch;
}

void apply_one(const zab::Append& persist, zab::Durable& durable) {
  durable.history.append(persist.txn.zxid, persist.txn.payload);
}

void must(const storage::Result<void>& done) {
  if (!done) throw Violation("storage", done.error().message);
}

}  // namespace

void apply(const zab::Persist& persist, zab::Durable& durable) {
  std::visit([&](const auto& one) { apply_one(one, durable); }, persist);
}

Disk::Disk(zab::ServerId server, Random& random)
    : server_(server),
      random_(random),
      options_{.segment_bytes = random.between(6, 64) * 1024,
               .fill_bytes = random.between(1, 16) * 1024},
      files_(random.next()) {
  try_open();
}

// Fails only if the power does.
bool Disk::try_open() {
  auto opened = storage::Log::open(files_, "/data", {{1}, server_}, options_);
  if (!opened) {
    if (!std::exchange(power_fails_, false)) throw Violation("storage", opened.error().message);
    return false;
  }
  log_.emplace(std::move(opened->log));
  recovered_ = std::move(opened->recovered);
  return true;
}

void Disk::write(const std::vector<zab::Persist>& batch) {
  log_->stage(batch);
  must(log_->commit());
  must(log_->prepare());
}

void Disk::crash_during(const std::vector<zab::Persist>& batch) {
  const bool power = random_.one_in(2);
  if (!batch.empty()) {
    if (power) {
      files_.fail_at(files_.operations() + random_.below(operations_of_a_commit), Fault::power);
    }
    log_->stage(batch);
    if (power || random_.one_in(2)) static_cast<void>(log_->commit());
  }
  log_.reset();
  files_.heal();
  if (power) {
    files_.power_cycle();
  } else {
    files_.kill();
  }
  if (power && random_.one_in(4)) {
    power_fails_ = true;
    files_.fail_at(files_.operations() + random_.below(operations_of_recovery), Fault::power);
    const bool opened = try_open();
    files_.heal();
    if (opened) return;
    files_.power_cycle();
  }
  try_open();
}

}  // namespace sim
