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

// What a write came to, as bytes: a reply, or why there was none.
[[nodiscard]] wire::Bytes encode_outcome(const wire::ReplyBody& reply);
[[nodiscard]] wire::Bytes encode_outcome(const Refusal& refusal);
// MarshallingError if `bytes` are none.
[[nodiscard]] wire::Result<wire::ReplyBody> decode_outcome(std::string_view bytes);

// The newest outcomes of one session's writes, by the numbers that its client gave them, so that a
// write that is sent again is answered again and not carried out again. Replicated with the
// session.
class Results {
 public:
  // A session keeps no more bytes than these, and no fewer than its newest outcome.
  static constexpr std::size_t bytes_max = std::size_t{4} << 20;

  struct Result {
    std::int64_t number = 0;
    wire::Bytes outcome;

    bool operator==(const Result&) const = default;
  };

  // `number` is above last(). Keeps `max` at most.
  void add(std::int64_t number, wire::Bytes outcome, std::size_t max);
  // Null where it is not kept, or never was.
  [[nodiscard]] const wire::Bytes* find(std::int64_t number) const;
  // Of the newest; nothing where there is none.
  [[nodiscard]] std::optional<std::int64_t> last() const;
  [[nodiscard]] std::size_t size() const { return results_.size(); }
  // The oldest first.
  [[nodiscard]] const std::deque<Result>& all() const { return results_; }
  // Equal for equal results.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  bool operator==(const Results&) const = default;

 private:
  void drop_oldest();

  std::deque<Result> results_;  // rising numbers
  std::size_t bytes_ = 0;
  std::uint64_t digest_ = 0;
};

}  // namespace session
