#pragma once

#include <string>

#include "zab/effects.h"

// The effects of a step as text, in order, one a line: "send 2 PROPOSAL 1:1".
[[nodiscard]] std::string text_of(const zab::Effects& effects);

// The lines of `text`, each with two spaces before it.
[[nodiscard]] std::string indented(const std::string& text);
