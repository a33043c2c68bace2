#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client-lib/recipes/grant.h"
#include "client-lib/recipes/queue.h"
#include "wire/bytes.h"
#include "wire/requests.h"

namespace zabkeeper {

// An election is a lock whose nodes have values. A candidate is an Acquisition with this queue: it
// campaigns with `want`, leads while it holds, and resigns with `release`. The guarantees are those
// of Acquisition: at no zxid are there two leaders, and the tokens of leaders rise. See Observer
// for those who only want to know the leader.
//
// `value` says how to reach the candidate, for example. `id` is as in queue.h.
[[nodiscard]] QueueOptions election_queue(std::string path, std::string_view id, wire::Bytes value);

struct Proclamation {
  wire::SetRequest request;
  std::vector<wire::Condition> conditions;
};
// Gives the leader another value. Refused with ConditionFailed if it does not lead any more.
[[nodiscard]] Proclamation proclaim(const Grant& grant, wire::Bytes value);

inline constexpr std::string_view candidate_kind = "candidate-";

}  // namespace zabkeeper
