#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shell {

// A page in Prometheus' text format, as servers write it.
class MetricsPage {
 public:
  MetricsPage() = default;
  explicit MetricsPage(std::string_view text);

  // `sample`: the name with its labels as on the page, e.g.
  // `zabkeeper_sessions_total{event="moved"}`.
  [[nodiscard]] std::optional<double> value(const std::string& sample) const;
  // The values of one label in all samples of this name.
  [[nodiscard]] std::vector<std::string> label_values(const std::string& name,
                                                      const std::string& label) const;

  struct Quantile {
    double seconds = 0;  // the upper bound of its bucket
    std::uint64_t count = 0;
  };
  // A quantile of a histogram without further labels; none if it has no samples. A value above all
  // buckets gets the bound of the last one.
  [[nodiscard]] std::optional<Quantile> quantile(const std::string& name, double part) const;

 private:
  std::map<std::string, double, std::less<>> samples_;
};

}  // namespace shell
