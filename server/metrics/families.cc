#include "server/metrics/families.h"

#include <sstream>

#include <prometheus/text_serializer.h>

namespace server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

double seconds(Histogram::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string ours(const char* name) { return std::string("zabkeeper_") + name; }

}  // namespace

Families& Families::counter(const char* name, const char* help) {
  begin(ours(name), help, MetricType::Counter);
  return *this;
}

Families& Families::gauge(const char* name, const char* help) {
  begin(ours(name), help, MetricType::Gauge);
  return *this;
}

Families& Families::histogram(const char* name, const char* help) {
  begin(ours(name), help, MetricType::Histogram);
  return *this;
}

Families& Families::process(MetricType type, const char* name, const char* help) {
  begin(std::string("process_") + name, help, type);
  return *this;
}

Families& Families::is(double value, Labels labels) {
  ClientMetric& metric = sample(labels);
  if (families_.back().type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return *this;
}

Families& Families::is(const Histogram& value, Labels labels) {
  ClientMetric::Histogram& histogram = sample(labels).histogram;
  for (std::size_t bucket = 0; bucket < Histogram::bounds; ++bucket) {
    histogram.sample_count += value.count(bucket);
    histogram.bucket.push_back({histogram.sample_count, seconds(Histogram::bound(bucket))});
  }
  histogram.sample_count += value.count(Histogram::bounds);  // the rest is in +Inf
  histogram.sample_sum = seconds(value.sum());
  return *this;
}

std::string Families::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families_);
  return std::move(out).str();
}

void Families::begin(std::string name, const char* help, MetricType type) {
  families_.push_back({std::move(name), help, type, {}});
}

ClientMetric& Families::sample(Labels labels) {
  ClientMetric& metric = families_.back().metric.emplace_back();
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

}  // namespace server
