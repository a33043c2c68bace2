#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "session/commands.h"
#include "wire/replies.h"
#include "wire/result.h"

namespace session {

// The result of the write `zxid` as bytes: its reply, or why it was refused. The first byte is the
// kind. In version 1 the result follows; in version 2 the kind is another, and the zxid is before
// the result.
[[nodiscard]] wire::Bytes encode_outcome(const wire::ReplyBody& reply, wire::Zxid zxid,
                                         const wire::Forms& forms);
[[nodiscard]] wire::Bytes encode_outcome(const Refusal& refusal, wire::Zxid zxid,
                                         const wire::Forms& forms);
// A receipt is an outcome too: the write was done, and its reply is not kept. Only in version 2.
[[nodiscard]] wire::Bytes encode_receipt(wire::Zxid zxid);
// The receipt that can replace a valid outcome; of a refusal it keeps the error without its
// message. None for a receipt, and for version 1, which has no receipts.
[[nodiscard]] std::optional<wire::Bytes> receipt_of(std::string_view outcome);
// Converts a valid outcome to the version of `forms`, an earlier one. In version 1 a receipt
// becomes a refusal whose message says what is known of the write: the server must still know that
// this number was used.
[[nodiscard]] wire::Bytes former_outcome(std::string_view outcome, const wire::Forms& forms);
// Whether the bytes are an outcome of any version. What a disk or another server says may be none.
[[nodiscard]] bool is_outcome(std::string_view bytes);
// A receipt of a write that was done becomes a TruncatedReply. Returns MarshallingError for invalid
// bytes.
[[nodiscard]] wire::Result<wire::ReplyBody> decode_outcome(std::string_view bytes);

// The newest results of one session's writes, by the numbers that its client gave them. If a client
// sends a write again, it gets the kept result, and the write is not carried out again. Replicated
// with the session.
class Results {
 public:
  // The bytes of results that a session keeps at most. Beyond that the oldest become receipts. An
  // outcome of version 1 is dropped instead, but not if it is the newest.
  static constexpr std::size_t bytes_max = std::size_t{4} << 20;

  struct Result {
    std::int64_t number = 0;
    wire::Bytes outcome;

    bool operator==(const Result&) const = default;
  };

  // Preconditions: `number` is above last(), and is_outcome(outcome). Keeps at most `max` results.
  void add(std::int64_t number, wire::Bytes outcome, std::size_t max);
  // Replaces all results by those of an earlier version: see former_outcome.
  void become_former(const wire::Forms& forms);
  // The kept result of this write; null if it is not kept.
  [[nodiscard]] const wire::Bytes* find(std::int64_t number) const;
  // The number of the newest result; none if there is none.
  [[nodiscard]] std::optional<std::int64_t> last() const;
  [[nodiscard]] std::size_t size() const { return results_.size(); }
  // An estimate of the memory of all results: that of none, and that of each by its bytes.
  static constexpr std::size_t memory_of_none = 720;  // a deque has one block at least
  [[nodiscard]] static constexpr std::size_t memory_of(std::size_t outcome_bytes) {
    return sizeof(Result) + 16 + outcome_bytes;
  }
  [[nodiscard]] std::size_t memory() const {
    return memory_of_none + results_.size() * memory_of(0) + bytes_;
  }
  // Oldest first.
  [[nodiscard]] const std::deque<Result>& all() const { return results_; }
  // Equal for equal results.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  bool operator==(const Results& other) const { return results_ == other.results_; }

 private:
  void drop_oldest();
  // Replaces the oldest result that is not a receipt by its receipt. False if there is none.
  bool shrink_oldest();
  void replace(Result& result, wire::Bytes outcome);

  std::deque<Result> results_;  // with rising numbers
  std::size_t receipts_ = 0;    // so many of the oldest are receipts
  std::size_t bytes_ = 0;
  std::uint64_t digest_ = 0;
};

}  // namespace session
