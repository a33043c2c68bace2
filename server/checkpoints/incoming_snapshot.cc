#include "server/checkpoints/incoming_snapshot.h"

#include <utility>
#include <vector>

#include "wire/ensure.h"
#include "wire/zxid.h"

namespace server {
namespace {

// Removes the complete records at the front of `bytes`, and returns them.
std::vector<std::pair<std::string_view, std::string_view>> take_records(std::string_view& bytes) {
  std::vector<std::pair<std::string_view, std::string_view>> records;
  for (;;) {
    wire::ByteReader in(bytes);
    const std::string_view key = in.string();
    const std::string_view value = in.string();
    if (in.failed()) return records;
    records.emplace_back(key, value);
    bytes.remove_prefix(bytes.size() - in.remaining());
  }
}

wire::Error malformed(std::string what) { return {wire::ErrorCode::system_error, std::move(what)}; }

wire::Error useless(const zab::Point& at, const wire::Error& why) {
  const bool is_newer = why.code == wire::ErrorCode::unimplemented;
  return {is_newer ? why.code : wire::ErrorCode::system_error,
          "the snapshot at " + wire::to_string(at.zxid) + " that the leader sent cannot be used; " +
              (is_newer ? "start this server with the leader's program: "
                        : "perhaps the leader's checkpoint is damaged: ") +
              why.message};
}

}  // namespace

IncomingSnapshot::IncomingSnapshot(SharedCheckpoint& checkpoint, zab::ServerId self,
                                   std::string program, const session::Service::Options& options,
                                   Restored restored)
    : checkpoint_(checkpoint),
      self_(self),
      program_(std::move(program)),
      options_(options),
      restored_(std::move(restored)),
      file_(path_beside(checkpoint.file.path())) {}

std::string IncomingSnapshot::path_beside(const std::string& checkpoint) {
  return checkpoint + ".incoming";
}

wire::Result<void> IncomingSnapshot::store(const zab::StoreSnapshot& chunk) {
  if (chunk.first) {
    fill_.reset();
    service_.reset();
    rest_.clear();
    restoration_.emplace(options_);
    auto fill = storage::CheckpointFill::begin(file_);
    if (!fill) return fill.error();
    fill_ = std::move(*fill);
  }
  ensure(fill_ != nullptr, "a snapshot begins with its first bytes");
  if (auto taken = take(*chunk.bytes); !taken) return useless(chunk.at, taken.error());
  return chunk.last ? finish(chunk.at) : wire::Result<void>();
}

wire::Result<void> IncomingSnapshot::take(std::string_view bytes) {
  rest_ += bytes;
  std::string_view left = rest_;
  const auto records = take_records(left);
  for (const auto& [key, value] : records) {
    if (auto added = restoration_->add(key, value); !added) return added;
  }
  if (auto added = fill_->add(records); !added) return added;
  rest_.erase(0, rest_.size() - left.size());
  return {};
}

wire::Result<void> IncomingSnapshot::finish(zab::Point at) {
  if (!rest_.empty()) return useless(at, malformed("its last record is incomplete"));
  auto service = restoration_->finish();
  if (!service) return useless(at, service.error());
  if ((*service)->applied() != at.zxid) {
    return useless(at, malformed("its records are at " + wire::to_string((*service)->applied())));
  }
  service_ = std::move(*service);
  if (auto finished = fill_->finish(label(at, {})); !finished) return finished;
  fill_.reset();
  restoration_.reset();
  return {};
}

storage::CheckpointLabel IncomingSnapshot::label(zab::Point at, zab::ClusterId cluster) const {
  return {self_, cluster, at, service_->level(), program_};
}

wire::Result<void> IncomingSnapshot::adopt(const zab::AdoptHistory& adopted) {
  ensure(service_ && service_->applied() == adopted.from.zxid, "what is adopted was stored");
  const std::lock_guard lock(checkpoint_.mutex);
  checkpoint_.readers.clear();
  checkpoint_.file.close_if_unused();
  if (auto installed = file_.install(checkpoint_.file.path()); !installed) return installed;
  const auto labelled = checkpoint_.file.write(label(adopted.from, adopted.cluster), {});
  if (!labelled) return labelled;
  checkpoint_.file.close_if_unused();
  restored_(std::move(service_), adopted.from);
  return {};
}

}  // namespace server
