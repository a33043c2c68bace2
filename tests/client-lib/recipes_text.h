#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "tests/client-lib/recipes_attempt.h"

namespace zabkeeper {

// The actions of a recipe as text, one a line, and the number of its last Ask. `Text` has an
// operator for each kind of action.
template <typename Text>
class Told {
 public:
  template <typename Actions>
  std::string note(const Actions& actions) {
    std::string text;
    for (const auto& action : actions) {
      if (const auto* ask = std::get_if<Ask>(&action)) last_ = ask->number;
      text += (text.empty() ? "" : "\n") + std::visit(Text(), action);
    }
    return text;
  }
  [[nodiscard]] std::uint64_t last() const { return last_; }

 private:
  std::uint64_t last_ = 0;
};

// A reply to a multi. The results are GetReply, SetReply and so on.
template <typename... Results>
wire::ReplyBody multi_reply(std::optional<wire::Branch> branch, const Results&... results) {
  wire::MultiReply multi;
  multi.branch = branch;
  (multi.results.emplace_back(wire::OpReply(results)), ...);
  return wire::ReplyBody(multi);
}

// A multi of which the operation at `failed` is refused.
inline wire::ReplyBody failed_multi(std::optional<wire::Branch> branch, std::size_t failed,
                                    wire::ErrorCode code) {
  wire::MultiReply multi;
  multi.branch = branch;
  multi.failed = failed;
  for (std::size_t i = 0; i < failed; ++i) {
    multi.results.emplace_back(wire::Error{wire::ErrorCode::runtime_inconsistency, ""});
  }
  multi.results.emplace_back(wire::Error{code, "x"});
  return wire::ReplyBody(multi);
}

// The node as a `get` shows it. It was created at `czxid`, and last set at `mzxid`.
inline wire::GetReply node_with(std::string data, std::uint64_t czxid, std::uint64_t mzxid) {
  wire::GetReply got;
  got.data = std::move(data);
  got.stat.czxid = at(czxid);
  got.stat.mzxid = at(mzxid);
  return got;
}

inline wire::SetReply set_at(std::uint64_t mzxid) {
  wire::SetReply set;
  set.stat.mzxid = at(mzxid);
  return set;
}

}  // namespace zabkeeper
