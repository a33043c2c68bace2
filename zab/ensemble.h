#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace zab {

// The number of a server, as in its `myid` file; 0 means no server.
struct ServerId {
  std::uint32_t value = 0;

  [[nodiscard]] constexpr bool none() const { return value == 0; }
  constexpr auto operator<=>(const ServerId&) const = default;
};

[[nodiscard]] inline std::string to_string(ServerId id) { return std::to_string(id.value); }

struct Member {
  ServerId id;
  bool observer = false;     // learns the history, does not vote
  std::uint32_t weight = 1;  // of its vote within its group; a vote of weight 0 never counts
  std::uint32_t group = 0;   // for hierarchical quorums; without them all members share a group
};

// The members of the ensemble, and which sets of its voters are a quorum. A value: each user has
// its own copy.
class Ensemble {
 public:
  explicit Ensemble(std::vector<Member> members);

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] bool contains(ServerId id) const;
  // Whether `id` is a member whose vote counts: no observer, and not of weight 0.
  [[nodiscard]] bool is_voter(ServerId id) const;

  // Whether `servers` are a quorum: more than half of the weight in more than half of the groups.
  // With one group and equal weights that is a majority. Non-voters and duplicates in `servers` do
  // not count.
  [[nodiscard]] bool is_quorum(const std::vector<ServerId>& servers) const;
  // Whether `servers` contains every voter.
  [[nodiscard]] bool are_all_voters(const std::vector<ServerId>& servers) const;

 private:
  [[nodiscard]] const Member* find(ServerId id) const;

  std::vector<Member> members_;  // by id
};

}  // namespace zab
