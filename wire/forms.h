#pragma once

#include <compare>
#include <cstdint>
#include <string>

// Which version of each binary form a server writes. Readers know every version up to the newest,
// and never ask for the level.
namespace wire {

// The level of an ensemble: one replicated value, which says what its servers may write. Level 0 is
// what version 0.1 writes. A level is added with each change of a form: see forms_at.
struct Level {
  std::uint32_t value = 0;

  auto operator<=>(const Level&) const = default;
};

// The levels at which a program can run.
struct LevelRange {
  Level least;
  Level greatest;

  [[nodiscard]] constexpr bool contains(Level level) const {
    return least <= level && level <= greatest;
  }
  bool operator==(const LevelRange&) const = default;
};

// Those of this program.
inline constexpr LevelRange known_levels{{0}, {3}};

// "level 1", "levels 0 to 1".
[[nodiscard]] inline std::string to_string(Level level) {
  return "level " + std::to_string(level.value);
}
[[nodiscard]] inline std::string to_string(const LevelRange& range) {
  if (range.least == range.greatest) return to_string(range.least);
  return "levels " + std::to_string(range.least.value) + " to " +
         std::to_string(range.greatest.value);
}

// The version of each form that begins with a version. A transaction of the tree is within a
// transaction, and a refusal may be within an outcome.
struct Forms {
  std::uint8_t command = 2;
  std::uint8_t transaction = 2;
  std::uint8_t tree_transaction = 2;
  std::uint8_t outcome = 1;
  std::uint8_t refusal = 2;
  std::uint8_t node = 1;
  std::uint8_t session = 1;
  std::uint8_t image = 1;
  std::uint8_t label = 1;
  std::uint32_t segment = 3;

  bool operator==(const Forms&) const = default;
};

// What is written at this level. A new form is a new version here, at a new level.
[[nodiscard]] constexpr Forms forms_at(Level level) {
  Forms forms;
  if (level >= Level{1}) {
    forms.transaction = 3;  // + the change of the level
    forms.image = 2;        // + the level
    forms.label = 2;        // + the level, and the program that wrote it
    forms.segment = 4;      // the same
  }
  if (level >= Level{2}) {
    forms.tree_transaction = 3;  // paths, ACLs and identities once; what the reply of a multi takes
    forms.outcome = 2;           // + the zxid of the write; or only a receipt
  }
  if (level >= Level{3}) {
    forms.command = 3;           // + conditions; of a multi its other branch, tests and bounds
    forms.tree_transaction = 4;  // + of a multi its branch, bounds and orders of lists
    forms.outcome = 3;           // the same
    forms.refusal = 3;           // the same; + why a condition does not hold
  }
  return forms;
}

// The newest version of each form that this program reads.
inline constexpr Forms newest_forms = forms_at(known_levels.greatest);

}  // namespace wire
