#pragma once

#include <string>

#include "tests/sim/options.h"
#include "zab/events.h"

// What the transcript of a seed says.
namespace sim {

// In ticks.
[[nodiscard]] std::string at(Time time);
[[nodiscard]] std::string in_words(const zab::Event& event);

}  // namespace sim
