#include "wire/ensure.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "wire/ensure_report.h"

namespace wire {
namespace {

EnsureReport report_to = [](std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
};

}  // namespace

void report_broken_invariants_to(EnsureReport report) { report_to = report; }

void ensure_failed(std::string_view condition, std::string_view why, std::string_view file,
                   int line) {
  std::string text(file);
  text.append(":").append(std::to_string(line)).append(": broken invariant: ");
  text.append(condition).append(" (").append(why).append(")\n");
  report_to(text);
  std::abort();
}

}  // namespace wire
