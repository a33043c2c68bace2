#include "client-lib/recipes/exactly_once.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"
#include "wire/ensure.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;

// "7 result"
wire::Bytes text_of(std::uint64_t number, const wire::Bytes& result) {
  return std::to_string(number) + ' ' + result;
}

std::optional<Receipt> receipt_of(std::string_view text) {
  Receipt receipt;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, receipt.number);
  if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != ' ') return std::nullopt;
  receipt.result.assign(parsed.ptr + 1, end);
  return receipt;
}

wire::Condition unchanged(const std::string& path, wire::Zxid mzxid) {
  wire::Condition condition{path, {}, {}};
  condition.tests.mzxid = mzxid;
  return condition;
}

// The results of all operations of this multi; null if it failed, or for any other reply.
const wire::MultiReply* results_of(const wire::Result<wire::ReplyBody>& result) {
  const auto* multi = reply_of<wire::MultiReply>(result);
  return multi != nullptr && !multi->failed ? multi : nullptr;
}

}  // namespace

ExactlyOnce::ExactlyOnce(ExactlyOnceOptions options)
    : options_(std::move(options)), path_(below(options_.folder, options_.id)) {
  check_id(options_.id);
}

// --- Calls ---

ExactlyOnce::Step ExactlyOnce::inspect() {
  ensure(phase_ == Phase::idle, "an owner has one operation at a time");
  is_inspecting_ = true;
  return read();
}

ExactlyOnce::Step ExactlyOnce::begin(std::uint64_t number) {
  ensure(phase_ == Phase::idle, "an owner has one operation at a time");
  if (number != operation_) unknown_since_.reset();
  operation_ = number;
  is_inspecting_ = false;
  return is_known_ ? settle() : read();
}

ExactlyOnce::Step ExactlyOnce::settle() {
  if (is_inspecting_) return Ready{};
  if (receipt_.number == operation_) {
    unknown_since_.reset();
    return Done{};
  }
  if (receipt_.number > operation_) {
    return Failed{{ErrorCode::bad_arguments, "a later operation of the owner is done"}, true};
  }
  if (unknown_since_ && *unknown_since_ != receipt_stat_.czxid) {
    return fail({ErrorCode::connection_loss, "the receipt " + path_ + " was deleted"});
  }
  return Ready{};
}

ExactlyOnce::Step ExactlyOnce::write(OwnedWrite write) {
  ensure(phase_ == Phase::idle && is_known_ && write.number == operation_,
         "an operation is written when the nodes are read");
  write_ = std::move(write);
  wire::MultiRequest multi;
  std::vector<wire::Condition> conditions{unchanged(path_, receipt_stat_.mzxid)};
  multi.ops.emplace_back(wire::SetRequest{path_, text_of(write_.number, write_.result)});
  if (options_.sets_folder) {
    conditions.push_back(unchanged(options_.folder, folder_mzxid_));
    multi.ops.emplace_back(wire::SetRequest{options_.folder, *write_.folder});
  }
  for (const wire::MultiOp& op : write_.ops) multi.ops.push_back(op);
  multi.otherwise = reads();
  return ask(Phase::writing, std::move(multi), std::move(conditions));
}

ExactlyOnce::Step ExactlyOnce::session_lost() {
  if (phase_ == Phase::idle) return {};
  if (phase_ == Phase::writing) unknown_since_ = receipt_stat_.czxid;
  return read();
}

ExactlyOnce::Step ExactlyOnce::give_up(wire::Error why) {
  if (phase_ == Phase::idle) return {};
  if (phase_ == Phase::writing) unknown_since_ = receipt_stat_.czxid;
  outstanding_ = 0;
  is_known_ = false;
  return fail(std::move(why));
}

ExactlyOnce::Step ExactlyOnce::again() {
  if (phase_ != Phase::paused) return {};
  return read();
}

ExactlyOnce::Step ExactlyOnce::replied(std::uint64_t number, const Result& result) {
  if (number != outstanding_ || number == 0) return {};
  outstanding_ = 0;
  switch (phase_) {
    case Phase::reading: return on_read(result);
    case Phase::creating: return on_created(result);
    case Phase::writing: return on_written(result);
    case Phase::idle:
    case Phase::paused: break;
  }
  return {};
}

// --- Requests and their replies ---

ExactlyOnce::Step ExactlyOnce::ask(Phase phase, wire::Request request,
                                   std::vector<wire::Condition> conditions) {
  phase_ = phase;
  outstanding_ = ++last_;
  return Ask{last_, std::move(request), std::move(conditions)};
}

std::vector<wire::MultiOp> ExactlyOnce::reads() const {
  std::vector<wire::MultiOp> ops{wire::GetRequest{path_, {}}};
  if (options_.sets_folder) ops.emplace_back(wire::GetRequest{options_.folder, {}});
  return ops;
}

ExactlyOnce::Step ExactlyOnce::read() {
  is_known_ = false;
  return ask(Phase::reading, wire::MultiRequest{reads()});
}

ExactlyOnce::Step ExactlyOnce::on_read(const Result& result) {
  const wire::MultiReply* found = results_of(result);
  if (found != nullptr) return on_found(*found);
  if (is_unknown(result)) return read();
  if (error_of_multi(result).code == ErrorCode::no_node) return create();
  return on_refused(result);
}

ExactlyOnce::Step ExactlyOnce::create() {
  wire::CreateRequest request;
  request.path = path_;
  request.data = text_of(0, "");
  request.parents = true;
  request.ttl_ms = options_.receipt_ttl_ms;
  return ask(Phase::creating, std::move(request));
}

// The next read says which receipt there is, whatever became of this one.
ExactlyOnce::Step ExactlyOnce::on_created(const Result& result) {
  if (result || is_unknown(result) || is_error(result, ErrorCode::node_exists)) return read();
  return on_refused(result);
}

ExactlyOnce::Step ExactlyOnce::on_found(const wire::MultiReply& reply) {
  const auto found_at = [&](std::size_t i) {
    const bool is_there = i < reply.results.size() && reply.results[i];
    return is_there ? std::get_if<wire::GetReply>(&*reply.results[i]) : nullptr;
  };
  const auto* receipt = found_at(0);
  const auto* folder = found_at(options_.sets_folder ? 1 : 0);
  if (receipt == nullptr || folder == nullptr) {
    return fail({ErrorCode::system_error, "the reply belongs to another request"});
  }
  const auto parsed = receipt_of(receipt->data);
  if (!parsed) return fail({ErrorCode::bad_arguments, "the data of " + path_ + " are no receipt"});
  phase_ = Phase::idle;
  is_known_ = true;
  receipt_ = *parsed;
  receipt_stat_ = receipt->stat;
  if (options_.sets_folder) {
    folder_ = folder->data;
    folder_mzxid_ = folder->stat.mzxid;
  }
  return settle();
}

ExactlyOnce::Step ExactlyOnce::on_written(const Result& result) {
  const auto* multi = reply_of<wire::MultiReply>(result);
  const bool is_told = multi != nullptr && multi->branch;
  if (!is_told && (result || is_unknown(result))) {
    unknown_since_ = receipt_stat_.czxid;
    return read();
  }
  // Below level 2 a multi that was done has this result too, if its reply was lost: see
  // session::former_outcome.
  if (is_error(result, ErrorCode::too_large)) unknown_since_ = receipt_stat_.czxid;
  if (multi == nullptr || multi->failed) {
    const bool is_gone = is_told && multi->branch == wire::Branch::otherwise &&
                         error_of_multi(result).code == ErrorCode::no_node;
    return is_gone ? create() : on_refused(result);
  }
  if (multi->branch == wire::Branch::otherwise) return on_found(*multi);
  phase_ = Phase::idle;
  receipt_ = {write_.number, write_.result};
  const auto mzxid_at = [&](std::size_t i) {
    const bool is_there = i < multi->results.size() && multi->results[i];
    const auto* set = is_there ? std::get_if<wire::SetReply>(&*multi->results[i]) : nullptr;
    return set == nullptr ? wire::Zxid{} : set->stat.mzxid;
  };
  receipt_stat_.mzxid = mzxid_at(0);
  if (options_.sets_folder) {
    folder_ = *write_.folder;
    folder_mzxid_ = mzxid_at(1);
  }
  unknown_since_.reset();
  return Done{};
}

ExactlyOnce::Step ExactlyOnce::on_refused(const Result& result) {
  wire::Error error = error_of_multi(result);
  if (!is_temporary(error.code)) return fail(std::move(error));
  phase_ = Phase::paused;
  return Pause{};
}

// An operation that may be done stays so, if the same one begins again.
ExactlyOnce::Step ExactlyOnce::fail(wire::Error error) {
  phase_ = Phase::idle;
  return Failed{std::move(error), may_be_done()};
}

}  // namespace zabkeeper
