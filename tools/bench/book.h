#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The smallest value that `share` of all are not above; 0 of nothing.
inline double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  const auto at = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

inline double median(const std::vector<double>& values) { return percentile(values, 0.5); }

// What was measured, one value a round or a trial, under short names; and what was suspicious.
class Book {
 public:
  struct Complaint {
    int times = 0;
    std::string example;  // the first one
  };

  void note(const std::string& name, double value) { values_[name].push_back(value); }
  void complain(const std::string& kind, std::string_view example = {}) {
    Complaint& complaint = complaints_[kind];
    complaint.times += 1;
    if (complaint.example.empty()) complaint.example = example;
  }

  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] const std::vector<double>& values(const std::string& name) const {
    static const std::vector<double> none;
    const auto found = values_.find(name);
    return found == values_.end() ? none : found->second;
  }
  [[nodiscard]] double operator[](const std::string& name) const { return median(values(name)); }
  [[nodiscard]] const std::map<std::string, Complaint>& complaints() const { return complaints_; }

 private:
  std::map<std::string, std::vector<double>> values_;
  std::map<std::string, Complaint> complaints_;  // by kind
};

}  // namespace bench
