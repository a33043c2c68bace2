#pragma once

#include <string>

#include "tests/sim/options.h"
#include "zab/ensemble.h"
#include "zab/events.h"

// Events as text, for the transcript of a seed.
namespace sim {

// The time in ticks: "  92.042".
[[nodiscard]] std::string time_text(Time time);
[[nodiscard]] std::string text_of(const zab::Event& event);
// "server 3"
[[nodiscard]] std::string name_of(zab::ServerId server);

}  // namespace sim
