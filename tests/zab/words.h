#pragma once

#include <string>

#include "zab/effects.h"

// What a step asked for, one thing a line and in order: "send 2 PROPOSAL 1:1".
[[nodiscard]] std::string in_words(const zab::Effects& effects);
