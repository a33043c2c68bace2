#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/bench/rows.h"

namespace bench {

// Four digits that matter.
inline std::string number(double value) {
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

inline void print_table(const Book& book) {
  std::printf("%-42s %9s %-5s %19s %9s %6s  %s\n", "", "median", "", "min..max", "limit", "ratio",
              "the limit");
  for (const Row& row : rows()) {
    if (!book.has(row.name)) continue;
    const auto [min, max] = std::ranges::minmax(book.values(row.name));
    const std::string range = number(min) + ".." + number(max);
    std::printf("%-42s %9s %-5s %19s", row.what.c_str(), number(book[row.name]).c_str(),
                row.unit.c_str(), range.c_str());
    if (row.limit && row.limit(book) > 0) {
      const double limit = row.limit(book);
      std::printf(" %9s %6.2f  %s", number(limit).c_str(), book[row.name] / limit,
                  row.leans_on.c_str());
    }
    std::printf("\n");
  }
}

inline void print_json(const Book& book) {
  nlohmann::ordered_json figures;
  for (const Row& row : rows()) {
    if (!book.has(row.name)) continue;
    auto& figure = figures[row.name];
    figure = {{"what", row.what}, {"unit", row.unit}, {"median", book[row.name]}};
    figure["values"] = book.values(row.name);
    if (row.limit && row.limit(book) > 0) {
      figure["limit"] = row.limit(book);
      figure["leansOn"] = row.leans_on;
    }
  }
  auto complaints = nlohmann::ordered_json::array();
  for (const auto& [kind, complaint] : book.complaints()) {
    complaints.push_back(
        {{"kind", kind}, {"times", complaint.times}, {"example", complaint.example}});
  }
  const nlohmann::ordered_json all{{"figures", figures}, {"complaints", complaints}};
  std::printf("%s\n", all.dump(2).c_str());
}

inline void print_complaints(const Book& book) {
  std::fflush(stdout);
  for (const auto& [kind, complaint] : book.complaints()) {
    std::fprintf(stderr, "suspicious, %d times: %s %s\n", complaint.times, kind.c_str(),
                 complaint.example.c_str());
  }
}

}  // namespace bench
