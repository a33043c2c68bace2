#include "tools/bench/measurements.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bench {

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  const auto at = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

double median(const std::vector<double>& values) { return percentile(values, 0.5); }

void Measurements::warn(const std::string& kind, std::string_view example) {
  Warning& warning = warnings_[kind];
  warning.times += 1;
  if (warning.example.empty()) warning.example = example;
}

const std::vector<double>& Measurements::values(const std::string& name) const {
  static const std::vector<double> none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

}  // namespace bench
