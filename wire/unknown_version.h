#pragma once

#include <cstdint>
#include <string>

#include "wire/error.h"

namespace wire {

// The error of a reader for a version that this program does not know. `form`: "a transaction".
[[nodiscard]] inline Error unknown_version(const std::string& form, std::uint8_t version) {
  return {ErrorCode::unimplemented, "version " + std::to_string(version) + " of " + form +
                                        " is not known to this program: a newer program wrote it"};
}

}  // namespace wire
