#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "client-lib/recipes/group_membership.h"

namespace zabkeeper {

// One instance of a service: a member of the service's group. Its owner says which instance it is,
// also after a restart.
struct Instance {
  Member member;
  std::uint16_t weight = 1;  // how many times as many clients as an instance of weight 1; 0: none
};

// These choose an instance among those of a registry. They are functions of their arguments: equal
// arguments, equal choices, in every process. The order of the instances does not matter. They
// return null if no instance has a weight. At most 65,536 instances.

// In turn: in each round, every instance as often as its weight says, and spread. `turn` is the
// caller's counter.
[[nodiscard]] const Instance* round_robin(const std::vector<Instance>& instances,
                                          std::uint64_t turn);

// The probability of an instance is proportional to its weight, if `random` has 64 random bits.
[[nodiscard]] const Instance* weighted(const std::vector<Instance>& instances,
                                       std::uint64_t random);

// The same instance for the same key, by rendezvous hashing of the owners. If an instance leaves,
// only its keys move; if one joins, only those move that it gets. An instance gets a part of all
// keys that is proportional to its weight.
[[nodiscard]] const Instance* sticky(const std::vector<Instance>& instances, std::string_view key);

}  // namespace zabkeeper
