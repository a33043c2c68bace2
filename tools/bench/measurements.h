#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The smallest value that is at least as large as `share` (0 to 1) of all values; 0 without values.
[[nodiscard]] double percentile(std::vector<double> values, double share);
[[nodiscard]] double median(const std::vector<double>& values);

// The measured values, by a short name, with one value for each round or trial; and warnings about
// anything that makes them doubtful.
class Measurements {
 public:
  struct Warning {
    int times = 0;
    std::string example;  // the first one
  };

  void record(const std::string& name, double value) { values_[name].push_back(value); }
  void warn(const std::string& kind, std::string_view example = {});

  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] const std::vector<double>& values(const std::string& name) const;
  // The median of the values; 0 without values.
  [[nodiscard]] double operator[](const std::string& name) const { return median(values(name)); }
  [[nodiscard]] const std::map<std::string, Warning>& warnings() const { return warnings_; }

 private:
  std::map<std::string, std::vector<double>> values_;
  std::map<std::string, Warning> warnings_;  // by kind
};

}  // namespace bench
