#include <algorithm>
#include <cstdint>
#include <utility>

#include "tests/sim/service/oracle.h"

// Lists of children by their numbers, by a look at all children.
namespace sim {
namespace {

// A name with a lower place comes first. If some number is before all others, its distance to each
// is the place. Otherwise it is the distance from the next number of the parent.
class ModelPlaces {
 public:
  ModelPlaces(const std::vector<std::string>& names, std::int32_t next) {
    std::vector<std::uint32_t> numbers;
    for (const std::string& name : names) {
      if (const auto sibling = sibling_in_model(name)) numbers.push_back(sibling->number);
    }
    from_ = static_cast<std::uint32_t>(next);
    for (const std::uint32_t number : numbers) {
      has_first_ = std::ranges::all_of(
          numbers, [&](std::uint32_t other) { return other - number < 0x8000'0000u; });
      if (!has_first_) continue;
      from_ = number;
      return;
    }
  }
  [[nodiscard]] std::pair<std::int64_t, std::string> operator()(const std::string& name) const {
    const std::uint32_t distance = sibling_in_model(name)->number - from_;
    // A bound may be before the first one.
    return {has_first_ ? std::int64_t{static_cast<std::int32_t>(distance)} : distance, name};
  }

 private:
  std::uint32_t from_ = 0;
  bool has_first_ = false;
};

bool is_hex(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The name without the mark of a recipe.
std::string without_mark(const std::string& name) {
  if (name.starts_with("_c_")) return name.substr(std::string("_c_").size() + 36);
  if (name.size() < 32 || !is_hex(name.substr(0, 32))) return name;
  return name.substr(name[32] == '-' ? 33 : 32);
}

}  // namespace

std::optional<ModelSibling> sibling_in_model(const std::string& name) {
  if (name.size() < 10) return std::nullopt;
  const std::string digits = name.substr(name.size() - 10);
  const auto is_digit = [](char c) { return '0' <= c && c <= '9'; };
  if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
  const auto number = static_cast<std::uint32_t>(std::stoull(digits));
  std::string kind = name.substr(0, name.size() - 10);
  if (!kind.ends_with("--")) return ModelSibling{number, without_mark(kind)};
  kind.pop_back();
  return ModelSibling{0 - number, without_mark(kind)};
}

std::vector<std::string> names_by_number(const View& view, const wire::ChildrenRequest& list) {
  std::vector<std::string> names = view.children(list.path);
  const ModelPlaces place(names, view.find(list.path)->creations);
  std::erase_if(names, [&](const std::string& name) {
    return !sibling_in_model(name) || (list.after && place(name) <= place(*list.after)) ||
           (list.before && place(name) >= place(*list.before));
  });
  std::ranges::sort(names, {}, place);
  if (list.reverse) std::ranges::reverse(names);
  return names;
}

}  // namespace sim
