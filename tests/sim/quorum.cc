#include "tests/sim/quorum.h"

#include <cstdint>
#include <map>

namespace sim {

bool is_voter(const zab::Ensemble& ensemble, zab::ServerId id) {
  for (const zab::Member& member : ensemble.members()) {
    if (member.id == id) return !member.observer && member.weight != 0;
  }
  return false;
}

// In more groups than not, the weight of `ids` is greater than that of the others.
bool is_quorum(const zab::Ensemble& ensemble, const std::vector<zab::ServerId>& ids) {
  std::map<std::uint32_t, std::int64_t> balances;
  for (const zab::Member& member : ensemble.members()) {
    if (member.observer || member.weight == 0) continue;
    bool is_present = false;
    for (const zab::ServerId id : ids) is_present |= id == member.id;
    balances[member.group] +=
        is_present ? std::int64_t{member.weight} : -std::int64_t{member.weight};
  }
  int won = 0;
  for (const auto& [group, balance] : balances) won += balance > 0 ? 1 : -1;
  return won > 0;
}

}  // namespace sim
