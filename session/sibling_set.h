#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "session/number_set.h"
#include "wire/requests.h"
#include "znode/numbered_children.h"

namespace session {

// The numbers and names of the children of one node that have numbers. Each function takes
// logarithmic time, and `visit` besides that time for what it visits.
class SiblingSet : public LabelledNumbers<std::string>, public znode::NumberedChildren {
 public:
  // The memory that a name takes, about.
  [[nodiscard]] static std::size_t bytes_of(std::string_view name);

  // `number` is that of the name. No effect if it is there.
  void add(std::uint32_t number, std::string_view name);
  // No effect if it is not there.
  void remove(std::uint32_t number, std::string_view name);
  // Removes `most` names at most. Returns how many.
  std::size_t drop(std::size_t most);
  // The memory that all names take, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  void visit(const wire::ChildrenRequest& request, std::int32_t next,
             const Visit& visit) const override;

 private:
  std::size_t bytes_ = 0;
};

}  // namespace session
