#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/requests.h"
#include "wire/result.h"
#include "znode/node.h"

// Lists of children with `"order": "sequence"`: see znode/sibling.h.
namespace znode {

// The children of one node that have numbers, in the order of their numbers; those with equal
// numbers in the order of their names.
class NumberedChildren {
 public:
  using Visit = std::function<bool(std::string_view name)>;

  virtual ~NumberedChildren() = default;
  // Visits the names within the bounds of `request`, in its direction, without regard to its limit,
  // until `visit` returns false. `next` is the number that the next sequential child gets.
  // Precondition: `check_bounds`.
  virtual void visit(const wire::ChildrenRequest& request, std::int32_t next,
                     const Visit& visit) const = 0;
};

// BadArguments if a bound of a list in the order of the numbers has no number.
[[nodiscard]] wire::Result<void> check_bounds(const wire::ChildrenRequest& request);

// Looks at each child of the node, and sorts those with numbers.
class SortedChildren : public NumberedChildren {
 public:
  // `parent` must not change while this is used.
  explicit SortedChildren(const Node& parent);
  void visit(const wire::ChildrenRequest& request, std::int32_t next,
             const Visit& visit) const override;

 private:
  std::vector<std::pair<std::uint32_t, std::string_view>> children_;  // number and name
};

}  // namespace znode
