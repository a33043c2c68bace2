#include <cstddef>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "tools/history/checks.h"
#include "tools/uncaught.h"

namespace {

constexpr std::string_view usage =
    "usage: zab-history FILE...     FILE: a history, one JSON object a line; - is standard input\n"
    "\n"
    "Checks the requests, replies and events that clients recorded against the promises of the\n"
    "service (docs/reliability.md, \"Histories\"). Prints one line for each violation, and a "
    "summary.\n"
    "exit code: 0 no violations, 1 violations, 2 a file cannot be read\n";

void print(const std::string& name, const history::Report& report) {
  for (const history::Violation& violation : report.violations) {
    std::cout << name << ": " << violation.rule << ": " << violation.what << '\n';
  }
  if (report.violations_left_out > 0) {
    std::cout << name << ": and " << report.violations_left_out << " more\n";
  }
  std::cout << name << ": " << report.operations << " operations, " << report.acknowledged_writes
            << " acknowledged writes, " << report.refusals << " refusals, " << report.unknown
            << " unknown (" << report.unknown_happened << " of them done); " << report.changes
            << " changes replayed, " << report.reads_replayed << " replies compared ("
            << report.reads_uncertain << " uncertain); " << report.watches << " watches, "
            << report.events << " events; " << report.session_ends
            << " sessions expired or closed; " << report.searched << " operations searched in "
            << report.search_groups << " groups; " << report.faults << " faults; "
            << report.violations.size() + report.violations_left_out << " violations\n";
}

bool check(const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name);
    if (!file) throw history::Unreadable("cannot open the file");
  }
  const history::Report report = history::check(history::read(name == "-" ? std::cin : file));
  print(name, report);
  return report.violations.empty();
}

}  // namespace

int main(int argc, char** argv) {
  tools::end_with_words("zab-history", 2);
  if (argc < 2 || std::string_view(argv[1]) == "--help") {
    (argc < 2 ? std::cerr : std::cout) << usage;
    return argc < 2 ? 2 : 0;
  }
  bool clean = true;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    try {
      clean = check(name) && clean;
    } catch (const std::exception& error) {
      std::cerr << "zab-history: " << name << ": " << error.what() << '\n';
      return 2;
    }
  }
  return clean ? 0 : 1;
}
