#include "client-lib/recipes/service_choice.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace zabkeeper {
namespace {

std::vector<const Instance*> by_owner(const std::vector<Instance>& instances) {
  std::vector<const Instance*> ordered;
  for (const Instance& each : instances) {
    if (each.weight > 0) ordered.push_back(&each);
  }
  std::ranges::sort(ordered, [](const Instance* a, const Instance* b) {
    return std::tie(a->member.owner, a->member.name) < std::tie(b->member.owner, b->member.name);
  });
  return ordered;
}

std::uint64_t total_weight(const std::vector<const Instance*>& instances) {
  std::uint64_t total = 0;
  for (const Instance* each : instances) total += each->weight;
  return total;
}

// Each instance has as many places as its weight.
const Instance* at_place(const std::vector<const Instance*>& instances, std::uint64_t place) {
  for (const Instance* each : instances) {
    if (place < each->weight) return each;
    place -= each->weight;
  }
  return nullptr;
}

// From each place to the next turn's. All places come once in a round, because the step has no
// divisor in common with `total`. The golden ratio spreads consecutive turns.
std::uint64_t step_of(std::uint64_t total) {
  auto step = static_cast<std::uint64_t>(static_cast<double>(total) * 0.6180339887498949);
  while (std::gcd(step, total) != 1) ++step;
  return step;
}

// FNV-1a. `mixed` is the last step of SplitMix64: all bits depend on all bytes.
constexpr std::uint64_t hash_basis = 0xcbf2'9ce4'8422'2325;

std::uint64_t hash_of(std::string_view text, std::uint64_t hash) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
  }
  return hash;
}

std::uint64_t mixed(std::uint64_t hash) {
  hash = (hash ^ (hash >> 30)) * 0xbf58'476d'1ce4'e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d0'49bb'1331'11eb;
  return hash ^ (hash >> 31);
}

// The logarithm of a uniform random number between 0 and 1 is divided by the weight. The greatest
// one belongs to each instance with a probability in proportion to its weight.
double score_of(const Instance& instance, std::string_view key) {
  constexpr double steps = 9007199254740992.0;  // 2^53
  const std::uint64_t hash = mixed(hash_of(key, mixed(hash_of(instance.member.owner, hash_basis))));
  const double uniform = (static_cast<double>(hash >> 11) + 0.5) / steps;
  return std::log(uniform) / instance.weight;
}

}  // namespace

const Instance* round_robin(const std::vector<Instance>& instances, std::uint64_t turn) {
  const std::vector<const Instance*> ordered = by_owner(instances);
  const std::uint64_t total = total_weight(ordered);
  if (total == 0) return nullptr;
  return at_place(ordered, turn % total * step_of(total) % total);
}

const Instance* weighted(const std::vector<Instance>& instances, std::uint64_t random) {
  const std::vector<const Instance*> ordered = by_owner(instances);
  const std::uint64_t total = total_weight(ordered);
  if (total == 0) return nullptr;
  return at_place(ordered, random % total);
}

const Instance* sticky(const std::vector<Instance>& instances, std::string_view key) {
  const Instance* chosen = nullptr;
  double best = 0;
  for (const Instance* each : by_owner(instances)) {
    const double score = score_of(*each, key);
    if (chosen == nullptr || score > best) {
      chosen = each;
      best = score;
    }
  }
  return chosen;
}

}  // namespace zabkeeper
