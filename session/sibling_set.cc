#include "session/sibling_set.h"

#include <optional>

#include "znode/sibling.h"

namespace session {

std::size_t SiblingSet::bytes_of(std::string_view name) {
  constexpr std::size_t of_child = 160;
  constexpr std::size_t within_string = 15;  // a longer one has an allocation of its own
  constexpr std::size_t of_allocation = 16;
  return name.size() <= within_string ? of_child : of_child + of_allocation + name.size();
}

void SiblingSet::add(std::uint32_t number, std::string_view name) {
  if (keys_.insert({number, std::string(name)}).second) bytes_ += bytes_of(name);
}

void SiblingSet::remove(std::uint32_t number, std::string_view name) {
  if (keys_.erase({number, std::string(name)})) bytes_ -= bytes_of(name);
}

std::size_t SiblingSet::drop(std::size_t most) {
  std::size_t dropped = 0;
  for (; dropped < most && !keys_.empty(); ++dropped) {
    bytes_ -= bytes_of(keys_.begin()->second);
    keys_.erase(keys_.begin());
  }
  return dropped;
}

// The keys are in the order of unsigned numbers. The order of the list is a rotation of it, which
// begins with the key of rank `begin`.
void SiblingSet::visit(const wire::ChildrenRequest& request, std::int32_t next,
                       const Visit& visit) const {
  std::uint32_t first = 0;
  const bool is_whole = is_ordered(first);
  const znode::NumberOrder order(is_whole ? std::optional(first) : std::nullopt, next);
  const std::size_t begin = below(order.begin());
  // How many come before the name in the list, the name itself included if `inclusive`.
  const auto rank_of = [&](const std::string& name, bool inclusive) {
    const Keys::key_type key(znode::sibling_of(name)->number, name);
    std::size_t rank = keys_.order_of_key(key);
    if (inclusive && keys_.find(key) != keys_.end()) rank += 1;
    return key.first >= order.begin() ? rank - begin : size() - begin + rank;
  };
  std::size_t from = request.after ? rank_of(*request.after, true) : 0;
  std::size_t to = request.before ? rank_of(*request.before, false) : size();
  if (from >= to) return;

  auto at = keys_.find_by_order((begin + (request.reverse ? to - 1 : from)) % size());
  for (std::size_t left = to - from; left > 0; --left) {
    if (!visit(at->second) || left == 1) return;
    if (request.reverse) {
      if (at == keys_.begin()) at = keys_.end();
      --at;
    } else if (++at == keys_.end()) {
      at = keys_.begin();
    }
  }
}

}  // namespace session
