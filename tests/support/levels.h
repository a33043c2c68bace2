#pragma once

#include <vector>

#include "wire/forms.h"

namespace support {

// What is written at each level that this program knows, from the least level on.
inline std::vector<wire::Forms> forms_of_all_levels() {
  std::vector<wire::Forms> all;
  for (wire::Level level = wire::known_levels.least; wire::known_levels.contains(level);
       ++level.value) {
    all.push_back(wire::forms_at(level));
  }
  return all;
}

}  // namespace support
