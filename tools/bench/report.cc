#include "tools/bench/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/bench/rows.h"

namespace bench {
namespace {

// At least three significant digits.
std::string number(double value) {
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

}  // namespace

void print_table(const Measurements& measurements) {
  std::printf("%-42s %9s %-5s %19s %9s %6s  %s\n", "", "median", "", "min..max", "limit", "ratio",
              "the limit");
  for (const Row& row : rows()) {
    if (!measurements.has(row.name)) continue;
    const auto [min, max] = std::ranges::minmax(measurements.values(row.name));
    const std::string range = number(min) + ".." + number(max);
    std::printf("%-42s %9s %-5s %19s", row.title.c_str(), number(measurements[row.name]).c_str(),
                row.unit.c_str(), range.c_str());
    if (row.limit && row.limit(measurements) > 0) {
      const double limit = row.limit(measurements);
      std::printf(" %9s %6.2f  %s", number(limit).c_str(), measurements[row.name] / limit,
                  row.limit_title.c_str());
    }
    std::printf("\n");
  }
}

void print_json(const Measurements& measurements) {
  nlohmann::ordered_json figures;
  for (const Row& row : rows()) {
    if (!measurements.has(row.name)) continue;
    auto& figure = figures[row.name];
    figure = {{"what", row.title}, {"unit", row.unit}, {"median", measurements[row.name]}};
    figure["values"] = measurements.values(row.name);
    if (row.limit && row.limit(measurements) > 0) {
      figure["limit"] = row.limit(measurements);
      figure["leansOn"] = row.limit_title;
    }
  }
  auto warnings = nlohmann::ordered_json::array();
  for (const auto& [kind, warning] : measurements.warnings()) {
    warnings.push_back({{"kind", kind}, {"times", warning.times}, {"example", warning.example}});
  }
  const nlohmann::ordered_json all{{"figures", figures}, {"complaints", warnings}};
  std::printf("%s\n", all.dump(2).c_str());
}

void print_warnings(const Measurements& measurements) {
  std::fflush(stdout);
  for (const auto& [kind, warning] : measurements.warnings()) {
    std::fprintf(stderr, "suspicious, %d times: %s %s\n", warning.times, kind.c_str(),
                 warning.example.c_str());
  }
}

}  // namespace bench
