#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/forms.h"
#include "wire/result.h"

namespace storage {

// Where a file comes from. Files of level 0 do not say it: they have the values here.
struct WrittenBy {
  wire::Level level;    // at which its records were written
  std::string program;  // that wrote it: "zabkeeper 0.2.0"; empty: unknown

  bool operator==(const WrittenBy&) const = default;
};

// A longer name of a program is cut to this when it is written.
inline constexpr std::size_t program_bytes_max = 64;
[[nodiscard]] inline std::string_view stored_program(const WrittenBy& written) {
  return std::string_view(written.program).substr(0, program_bytes_max);
}

// The versions of one form that this program reads.
struct KnownVersions {
  std::string_view form;  // "label", "segment"
  std::uint32_t least = 0;
  std::uint32_t greatest = 0;

  [[nodiscard]] bool contains(std::uint32_t version) const {
    return least <= version && version <= greatest;
  }
};

// The error of a reader for intact bytes of a version or of a level that this program does not
// know: `unimplemented`. The message names the version, the program that wrote it, and what to
// start instead. It does not name the file. `written`: nothing if the bytes do not say it.
[[nodiscard]] wire::Error unknown_version(const KnownVersions& known, std::uint32_t version,
                                          const std::optional<WrittenBy>& written);

}  // namespace storage
