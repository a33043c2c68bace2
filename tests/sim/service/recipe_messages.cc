#include "tests/sim/service/recipe_messages.h"

#include <utility>

#include "wire/zxid.h"

namespace sim {

void RecipeMessages::add(std::uint64_t recipe, zabkeeper::Ask ask) {
  unsent_.push_back({recipe, std::move(ask)});
}

std::optional<wire::ClientRequest> RecipeMessages::next() {
  if (unsent_.empty()) return std::nullopt;
  Unsent first = std::move(unsent_.front());
  unsent_.pop_front();
  sending_ = {first.recipe, first.ask.number};
  return wire::ClientRequest{{}, {}, std::move(first.ask.request), std::move(first.ask.conditions)};
}

std::optional<RecipeMessages::Origin> RecipeMessages::origin_of(const wire::RequestId& id) const {
  const auto found = origins_.find(id.json);
  return found == origins_.end() ? std::nullopt : std::optional(found->second);
}

void RecipeMessages::drop_unsent(std::uint64_t number) {
  std::erase_if(unsent_, [&](const Unsent& each) { return each.ask.number == number; });
}

void RecipeMessages::forget(std::uint64_t recipe) {
  std::erase_if(unsent_, [&](const Unsent& each) { return each.recipe == recipe; });
  std::erase_if(origins_, [&](const auto& each) { return each.second.recipe == recipe; });
}

std::string some_recipe_id(Random& random) {
  std::string id = wire::to_hex(random.next());
  id += wire::to_hex(random.next());
  return id;
}

}  // namespace sim
