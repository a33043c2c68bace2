#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/bench/measurements.h"

namespace bench {

// A row of the report: a figure, and the limit that the machine itself sets to it.
struct Row {
  std::string name;  // of its values in Measurements
  std::string title;
  std::string unit;
  std::string limit_title = "";
  std::function<double(const Measurements&)> limit = {};
};

// All rows, in the order of the report.
[[nodiscard]] std::vector<Row> rows();

}  // namespace bench
