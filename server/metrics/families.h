#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "server/metrics/histogram.h"

namespace server {

// Builds the page: metric families one after the other, each followed by its samples.
class Families {
 public:
  using Labels = std::initializer_list<std::pair<const char*, std::string>>;

  // Begins a family. `name` is without its prefix "zabkeeper_".
  Families& counter(const char* name, const char* help);
  Families& gauge(const char* name, const char* help);
  Families& histogram(const char* name, const char* help);
  // A family that Prometheus' conventions name: its prefix is "process_".
  Families& process(prometheus::MetricType type, const char* name, const char* help);

  // Samples of the family that was begun last.
  Families& is(double value, Labels labels = {});
  Families& is(std::integral auto value, Labels labels = {}) {
    return is(static_cast<double>(value), labels);
  }
  Families& is(const Histogram& value, Labels labels = {});

  // In the text format.
  [[nodiscard]] std::string text() const;

 private:
  void begin(std::string name, const char* help, prometheus::MetricType type);
  prometheus::ClientMetric& sample(Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace server
