#include "tools/shell/metrics_page.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace shell {
namespace {

std::optional<double> number_in(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size()) return std::nullopt;
  return number;
}

// The value of `label` in `{event="moved",x="y"}`. Servers escape nothing in it.
std::optional<std::string> label_in(std::string_view labels, const std::string& label) {
  for (const char before : {'{', ','}) {
    const std::string begin = before + label + "=\"";
    const std::size_t at = labels.find(begin);
    if (at == labels.npos) continue;
    const std::string_view rest = labels.substr(at + begin.size());
    return std::string(rest.substr(0, rest.find('"')));
  }
  return std::nullopt;
}

}  // namespace

MetricsPage::MetricsPage(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t space = line.rfind(' ');
    if (line.starts_with('#') || space == line.npos) continue;
    if (const auto number = number_in(std::string(line.substr(space + 1)))) {
      samples_.emplace(line.substr(0, space), *number);
    }
  }
}

std::optional<double> MetricsPage::value(const std::string& sample) const {
  const auto found = samples_.find(sample);
  return found == samples_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> MetricsPage::label_values(const std::string& name,
                                                   const std::string& label) const {
  std::vector<std::string> values;
  const std::string begin = name + '{';
  for (auto at = samples_.lower_bound(begin); at != samples_.end() && at->first.starts_with(begin);
       ++at) {
    if (auto value = label_in(std::string_view(at->first).substr(name.size()), label)) {
      values.push_back(*std::move(value));
    }
  }
  return values;
}

std::optional<MetricsPage::Quantile> MetricsPage::quantile(const std::string& name,
                                                           double part) const {
  const auto count = value(name + "_count");
  if (!count || *count < 1) return std::nullopt;
  std::vector<std::pair<double, double>>
      buckets;  // the bound, and how many values are at most that
  for (const std::string& bound : label_values(name + "_bucket", "le")) {
    const auto number = number_in(bound == "+Inf" ? "inf" : bound);
    const auto below = value(name + "_bucket{le=\"" + bound + "\"}");
    if (number && below) buckets.emplace_back(*number, *below);
  }
  std::ranges::sort(buckets);
  Quantile found{0, static_cast<std::uint64_t>(*count)};
  for (const auto& [bound, below] : buckets) {
    if (std::isfinite(bound)) found.seconds = bound;
    if (below >= part * *count) return found;
  }
  return std::nullopt;
}

}  // namespace shell
