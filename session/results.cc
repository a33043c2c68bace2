#include "session/results.h"

#include <algorithm>
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

enum class Kind : std::uint8_t { reply = 1, multi = 2, refusal = 3 };
static_assert(wire::newest_forms.outcome == 1, "each version has a reader");

// The replies of single writes.
using Single = std::variant<wire::EmptyReply, wire::CreateReply, wire::SetReply, wire::AclReply>;

template <class Reply>
void put(const Reply& reply, ByteWriter& out) {
  if constexpr (std::is_same_v<Reply, wire::MultiReply>) {
    std::vector<wire::OpReply> replies;
    for (const auto& result : reply.results) replies.push_back(*result);
    out.integer(static_cast<std::uint8_t>(Kind::multi));
    wire::archive::write(out, replies);
  } else if constexpr (std::is_constructible_v<Single, Reply>) {
    out.integer(static_cast<std::uint8_t>(Kind::reply));
    wire::archive::write(out, Single(reply));
  } else {
    ensure(false, "the reply is one of a write");
  }
}

wire::ReplyBody take_multi(ByteReader& in) {
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

wire::Bytes encode_outcome(const wire::ReplyBody& reply) {
  wire::Bytes bytes;
  ByteWriter out(bytes);
  std::visit([&](const auto& each) { put(each, out); }, reply);
  return bytes;
}

wire::Bytes encode_outcome(const Refusal& refusal, const wire::Forms& forms) {
  wire::Bytes bytes;
  ByteWriter(bytes).integer(static_cast<std::uint8_t>(Kind::refusal));
  encode(refusal, forms, bytes);
  return bytes;
}

wire::Result<wire::ReplyBody> decode_outcome(std::string_view bytes) {
  const wire::Error malformed{wire::ErrorCode::marshalling_error, "an outcome is malformed"};
  ByteReader in(bytes);
  const Kind kind{in.integer<std::uint8_t>()};
  if (kind == Kind::refusal) {
    const auto refusal = decode_refusal(bytes.substr(1));
    return refusal ? refusal->reply() : malformed;
  }
  if (kind != Kind::reply && kind != Kind::multi) return malformed;
  wire::ReplyBody body =
      kind == Kind::multi ? take_multi(in)
                          : std::visit([](auto each) { return wire::ReplyBody(std::move(each)); },
                                       wire::archive::read<Single>(in));
  if (!in.complete()) return malformed;
  return body;
}

void Results::add(std::int64_t number, wire::Bytes outcome, std::size_t max) {
  wire::expect(!last() || number > *last(), "the numbers of a session's writes do not rise");
  bytes_ += outcome.size();
  results_.push_back({number, std::move(outcome)});
  digest_ += digest_of(results_.back());
  while (results_.size() > 1 && (results_.size() > max || bytes_ > bytes_max)) drop_oldest();
}

void Results::drop_oldest() {
  bytes_ -= results_.front().outcome.size();
  digest_ -= digest_of(results_.front());
  results_.pop_front();
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
