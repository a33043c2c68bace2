#include "session/results.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include "wire/archive_fields.h"
#include "wire/contradiction.h"
#include "wire/ensure.h"
#include "znode/hash.h"

namespace session {
namespace {

using wire::ByteReader;
using wire::ByteWriter;

// Version 1 has the first three, version 2 the others, and version 3 also the last.
enum class OutcomeKind : std::uint8_t {
  reply = 1,
  multi = 2,
  refusal = 3,
  reply_at = 17,
  multi_at = 18,
  refusal_at = 19,
  receipt = 20,
  refusal_receipt = 21,
  branch_at = 22,  // of a multi with two branches: multi_at, with the branch before the result
};
static_assert(wire::newest_forms.outcome == 3, "each version has a reader");

constexpr std::size_t head_bytes = 1 + sizeof(std::uint64_t);  // in version 2

bool is_receipt(OutcomeKind kind) {
  return kind == OutcomeKind::receipt || kind == OutcomeKind::refusal_receipt;
}
bool has_zxid(OutcomeKind kind) {
  return OutcomeKind::reply_at <= kind && kind <= OutcomeKind::branch_at;
}

OutcomeKind kind_of(std::string_view outcome) {
  return OutcomeKind{static_cast<std::uint8_t>(outcome.empty() ? '\0' : outcome.front())};
}

void write_head(OutcomeKind kind, wire::Zxid zxid, const wire::Forms& forms, ByteWriter& out) {
  const bool with_zxid = forms.outcome >= 2;
  const int offset =
      with_zxid ? static_cast<int>(OutcomeKind::reply_at) - static_cast<int>(OutcomeKind::reply)
                : 0;
  out.integer(static_cast<std::uint8_t>(static_cast<int>(kind) + offset));
  if (with_zxid) out.zxid(zxid);
}

// The replies of single writes.
using Single = std::variant<wire::EmptyReply, wire::CreateReply, wire::SetReply, wire::AclReply>;

template <class Reply>
constexpr OutcomeKind kind_of_reply =
    std::is_same_v<Reply, wire::MultiReply> ? OutcomeKind::multi : OutcomeKind::reply;

template <class Reply>
void put(const Reply& reply, ByteWriter& out) {
  if constexpr (std::is_same_v<Reply, wire::MultiReply>) {
    std::vector<wire::OpReply> replies;
    for (const auto& result : reply.results) replies.push_back(*result);
    wire::archive::write(out, replies);
  } else if constexpr (std::is_constructible_v<Single, Reply>) {
    wire::archive::write(out, Single(reply));
  } else {
    ensure(false, "the reply is one of a write");
  }
}

// Only version 3 has it, and only at level 3 has a multi two branches.
void put_branch(const wire::MultiReply& reply, wire::Zxid zxid, ByteWriter& out) {
  out.integer(static_cast<std::uint8_t>(OutcomeKind::branch_at));
  out.zxid(zxid);
  wire::archive::write(out, *reply.branch);
  put(reply, out);
}

wire::MultiReply take_multi(ByteReader& in) {
  wire::MultiReply reply;
  for (wire::OpReply& each : wire::archive::read<std::vector<wire::OpReply>>(in)) {
    reply.results.emplace_back(std::move(each));
  }
  return reply;
}

std::uint64_t digest_of(const Results::Result& result) {
  return znode::hash_of(result.outcome, static_cast<std::uint64_t>(result.number));
}

}  // namespace

wire::Bytes encode_outcome(const wire::ReplyBody& reply, wire::Zxid zxid,
                           const wire::Forms& forms) {
  wire::Bytes bytes;
  ByteWriter out(bytes);
  std::visit(
      [&]<class Reply>(const Reply& each) {
        if constexpr (std::is_same_v<Reply, wire::MultiReply>) {
          if (each.branch) return put_branch(each, zxid, out);
        }
        write_head(kind_of_reply<Reply>, zxid, forms, out);
        put(each, out);
      },
      reply);
  return bytes;
}

wire::Bytes encode_outcome(const Refusal& refusal, wire::Zxid zxid, const wire::Forms& forms) {
  wire::Bytes bytes;
  ByteWriter out(bytes);
  write_head(OutcomeKind::refusal, zxid, forms, out);
  encode(refusal, forms, bytes);
  return bytes;
}

wire::Bytes encode_receipt(wire::Zxid zxid) {
  wire::Bytes bytes;
  ByteWriter out(bytes);
  out.integer(static_cast<std::uint8_t>(OutcomeKind::receipt));
  out.zxid(zxid);
  return bytes;
}

std::optional<wire::Bytes> receipt_of(std::string_view outcome) {
  const OutcomeKind kind = kind_of(outcome);
  if (!has_zxid(kind) || is_receipt(kind)) return std::nullopt;
  wire::Bytes receipt(outcome.substr(0, head_bytes));
  receipt.front() = static_cast<char>(OutcomeKind::receipt);
  if (kind != OutcomeKind::refusal_at) return receipt;
  const auto refusal = decode_refusal(outcome.substr(head_bytes));
  if (!refusal) return receipt;
  receipt.front() = static_cast<char>(OutcomeKind::refusal_receipt);
  ByteWriter(receipt).integer(static_cast<std::int32_t>(refusal->error.code));
  return receipt;
}

namespace {

// A multi with two branches becomes a receipt: without the branch its results would say something
// else.
wire::Bytes without_conditions(std::string_view outcome, const wire::Forms& forms) {
  wire::Bytes former(outcome.substr(0, head_bytes));
  switch (kind_of(outcome)) {
    case OutcomeKind::branch_at:
      former.front() = static_cast<char>(OutcomeKind::receipt);
      return former;
    case OutcomeKind::refusal_at:
      if (const auto refusal = decode_refusal(outcome.substr(head_bytes))) {
        encode(*refusal, forms, former);
        return former;
      }
      return wire::Bytes(outcome);
    case OutcomeKind::refusal_receipt: {
      const auto refused = decode_outcome(outcome);
      ByteWriter(former).integer(static_cast<std::int32_t>(code_in(forms, refused.error().code)));
      return former;
    }
    default: return wire::Bytes(outcome);
  }
}

}  // namespace

wire::Bytes former_outcome(std::string_view outcome, const wire::Forms& forms) {
  if (forms.outcome >= 2) return without_conditions(outcome, forms);
  const wire::Bytes second = without_conditions(outcome, forms);
  outcome = second;
  const OutcomeKind kind = kind_of(outcome);
  if (!has_zxid(kind)) return second;
  if (is_receipt(kind)) {
    const auto result = decode_outcome(outcome);
    const wire::Error error =
        result ? wire::Error{wire::ErrorCode::too_large,
                             "the write was done, and its reply was too large to be kept"}
               : result.error();
    return encode_outcome(Refusal{error, {}}, {}, wire::Forms{});
  }
  wire::Bytes former;
  ByteWriter(former).integer(static_cast<std::uint8_t>(static_cast<int>(kind) -
                                                       static_cast<int>(OutcomeKind::reply_at) +
                                                       static_cast<int>(OutcomeKind::reply)));
  return former.append(outcome.substr(head_bytes));
}

namespace {

// Nothing for bytes that are no outcome.
std::optional<wire::Result<wire::ReplyBody>> read_outcome(std::string_view bytes) {
  ByteReader in(bytes);
  const OutcomeKind kind{in.integer<std::uint8_t>()};
  const wire::Zxid zxid = has_zxid(kind) ? in.zxid() : wire::Zxid{};
  if (in.failed()) return std::nullopt;
  wire::ReplyBody body;
  switch (kind) {
    case OutcomeKind::reply:
    case OutcomeKind::reply_at:
      body = std::visit([](auto each) { return wire::ReplyBody(std::move(each)); },
                        wire::archive::read<Single>(in));
      break;
    case OutcomeKind::multi:
    case OutcomeKind::multi_at: body = take_multi(in); break;
    case OutcomeKind::branch_at: {
      const auto branch = wire::archive::read<wire::Branch>(in);
      wire::MultiReply reply = take_multi(in);
      reply.branch = branch;
      body = std::move(reply);
      break;
    }
    case OutcomeKind::refusal:
    case OutcomeKind::refusal_at: {
      const auto refusal = decode_refusal(in.raw(in.remaining()));
      if (!refusal) return std::nullopt;
      return refusal->reply();
    }
    case OutcomeKind::receipt: body = wire::TruncatedReply{zxid}; break;
    case OutcomeKind::refusal_receipt: {
      const auto code = in.integer<std::int32_t>();
      if (!in.complete() || !wire::is_error_code(code)) return std::nullopt;
      return wire::Error{static_cast<wire::ErrorCode>(code), ""};
    }
    default: return std::nullopt;
  }
  if (!in.complete()) return std::nullopt;
  return body;
}

}  // namespace

bool is_outcome(std::string_view bytes) { return read_outcome(bytes).has_value(); }

wire::Result<wire::ReplyBody> decode_outcome(std::string_view bytes) {
  auto outcome = read_outcome(bytes);
  if (outcome) return *std::move(outcome);
  return wire::Error{wire::ErrorCode::marshalling_error, "an outcome is malformed"};
}

void Results::add(std::int64_t number, wire::Bytes outcome, std::size_t max) {
  wire::expect(!last() || number > *last(), "the numbers of a session's writes do not rise");
  bytes_ += outcome.size();
  results_.push_back({number, std::move(outcome)});
  digest_ += digest_of(results_.back());
  while (results_.size() > std::max<std::size_t>(max, 1)) drop_oldest();
  while (bytes_ > bytes_max && shrink_oldest()) {
  }
}

void Results::drop_oldest() {
  bytes_ -= results_.front().outcome.size();
  digest_ -= digest_of(results_.front());
  results_.pop_front();
  if (receipts_ > 0) --receipts_;
}

bool Results::shrink_oldest() {
  while (receipts_ < results_.size() && is_receipt(kind_of(results_[receipts_].outcome)))
    ++receipts_;
  if (receipts_ == results_.size()) return false;
  if (auto receipt = receipt_of(results_[receipts_].outcome)) {
    replace(results_[receipts_], *std::move(receipt));
    return true;
  }
  // Of version 1, and so are all before it: receipts are not older than such an outcome.
  if (results_.size() == 1 || receipts_ > 0) return false;
  drop_oldest();
  return true;
}

void Results::replace(Result& result, wire::Bytes outcome) {
  bytes_ -= result.outcome.size();
  digest_ -= digest_of(result);
  result.outcome = std::move(outcome);
  bytes_ += result.outcome.size();
  digest_ += digest_of(result);
}

void Results::become_former(const wire::Forms& forms) {
  std::deque<Result> results;
  for (Result& result : std::exchange(results_, {})) {
    results.push_back({result.number, former_outcome(result.outcome, forms)});
  }
  receipts_ = bytes_ = 0;
  digest_ = 0;
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  for (Result& result : results) add(result.number, std::move(result.outcome), all);
}

const wire::Bytes* Results::find(std::int64_t number) const {
  const auto found = std::ranges::lower_bound(results_, number, {}, &Result::number);
  return found == results_.end() || found->number != number ? nullptr : &found->outcome;
}

std::optional<std::int64_t> Results::last() const {
  if (results_.empty()) return std::nullopt;
  return results_.back().number;
}

}  // namespace session
