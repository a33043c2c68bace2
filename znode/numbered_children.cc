#include "znode/numbered_children.h"

#include <algorithm>
#include <optional>

#include "znode/sibling.h"

namespace znode {

wire::Result<void> check_bounds(const wire::ChildrenRequest& request) {
  if (request.order != wire::ChildOrder::sequence) return {};
  const auto check = [](std::string_view field, const std::optional<std::string>& bound) {
    if (!bound || sibling_of(*bound)) return wire::Result<void>();
    return wire::Result<void>(
        wire::Error{wire::ErrorCode::bad_arguments,
                    std::string(field) + ": a bound of a list by numbers must end in ten digits"});
  };
  if (auto checked = check("after", request.after); !checked) return checked;
  return check("before", request.before);
}

SortedChildren::SortedChildren(const Node& parent) {
  for (const Node* child = parent.first_child(); child; child = child->next_sibling()) {
    if (const auto sibling = sibling_of(child->name())) {
      children_.emplace_back(sibling->number, child->name());
    }
  }
}

void SortedChildren::visit(const wire::ChildrenRequest& request, std::int32_t next,
                           const Visit& visit) const {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(children_.size());
  for (const auto& [number, name] : children_) numbers.push_back(number);
  const NumberOrder order(first_number(std::move(numbers)), next);
  const auto place_of = [&](std::string_view name) {
    return std::pair(order.place(sibling_of(name)->number), name);
  };

  const auto after = request.after ? std::optional(place_of(*request.after)) : std::nullopt;
  const auto before = request.before ? std::optional(place_of(*request.before)) : std::nullopt;
  std::vector<std::pair<std::uint32_t, std::string_view>> asked;
  for (const auto& [number, name] : children_) {
    const std::pair place(order.place(number), name);
    if (after && place <= *after) continue;
    if (before && place >= *before) continue;
    asked.push_back(place);
  }
  std::ranges::sort(asked);
  if (request.reverse) std::ranges::reverse(asked);
  for (const auto& [place, name] : asked) {
    if (!visit(name)) return;
  }
}

}  // namespace znode
