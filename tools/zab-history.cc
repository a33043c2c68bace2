#include <algorithm>
#include <cstddef>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "tools/history/checks.h"
#include "tools/standard_output.h"
#include "tools/uncaught.h"
#include "wire/terminal_text.h"

namespace {

constexpr std::string_view usage =
    "usage: zab-history FILE...     FILE: a history, one JSON object a line; - is standard input\n"
    "\n"
    "Checks the requests, replies and events that clients recorded against the promises of the\n"
    "service (docs/reliability.md, \"Histories\"). Prints one line for each violation, and a "
    "summary.\n"
    "exit code: 0 no violations, 1 violations, 2 a file cannot be read, or the output written\n";

constexpr int exit_failed = 2;

// With spaces instead of line feeds, and safe in a terminal: a history may have any text.
std::string on_one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return wire::terminal_text(text);
}

void print(const std::string& name, const history::Report& report) {
  for (const history::Violation& violation : report.violations) {
    std::cout << name << ": " << violation.rule << ": " << on_one_line(violation.what) << '\n';
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
  print(on_one_line(name), report);
  return report.violations.empty();
}

// Returns the exit code.
int run(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) == "--help") {
    (argc < 2 ? std::cerr : std::cout) << usage;
    return argc < 2 ? exit_failed : 0;
  }
  bool clean = true;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    try {
      clean = check(name) && clean;
    } catch (const std::exception& error) {
      std::cerr << "zab-history: " << on_one_line(name + ": " + error.what()) << '\n';
      return exit_failed;
    }
  }
  return clean ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  tools::end_with_words("zab-history", exit_failed);
  tools::prepare_standard_output();
  std::ios::sync_with_stdio(false);  // the streams of stdio hide errors of reading
  return tools::finish_standard_output("zab-history", run(argc, argv), exit_failed);
}
