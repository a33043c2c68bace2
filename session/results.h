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

// The result of a write as bytes: its reply, or why it was refused. In version 1 the first byte is
// the kind. A later version must begin with a byte that is no kind.
[[nodiscard]] wire::Bytes encode_outcome(const wire::ReplyBody& reply);
[[nodiscard]] wire::Bytes encode_outcome(const Refusal& refusal, const wire::Forms& forms);
// Returns MarshallingError for invalid bytes.
[[nodiscard]] wire::Result<wire::ReplyBody> decode_outcome(std::string_view bytes);

// The newest results of one session's writes, by the numbers that its client gave them. If a client
// sends a write again, it gets the kept result, and the write is not carried out again. Replicated
// with the session.
class Results {
 public:
  // A session keeps at most so many bytes of results, but always its newest result.
  static constexpr std::size_t bytes_max = std::size_t{4} << 20;

  struct Result {
    std::int64_t number = 0;
    wire::Bytes outcome;

    bool operator==(const Result&) const = default;
  };

  // Precondition: `number` is above last(). Keeps at most `max` results.
  void add(std::int64_t number, wire::Bytes outcome, std::size_t max);
  // The kept result of this write; null if it is not kept.
  [[nodiscard]] const wire::Bytes* find(std::int64_t number) const;
  // The number of the newest result; none if there is none.
  [[nodiscard]] std::optional<std::int64_t> last() const;
  [[nodiscard]] std::size_t size() const { return results_.size(); }
  // Oldest first.
  [[nodiscard]] const std::deque<Result>& all() const { return results_; }
  // Equal for equal results.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  bool operator==(const Results&) const = default;

 private:
  void drop_oldest();

  std::deque<Result> results_;  // with rising numbers
  std::size_t bytes_ = 0;
  std::uint64_t digest_ = 0;
};

}  // namespace session
