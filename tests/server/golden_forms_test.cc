#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "server/peers/greeting.h"
#include "tests/server/golden_form.h"
#include "tests/support/hex.h"
#include "tests/support/sources.h"
#include "wire/forms.h"

namespace golden {
namespace {

constexpr std::size_t digits_a_line = 92;

constexpr const char* explanation =
    "# The bytes of every binary form in each of its versions, for golden_forms_test.cc. Other\n"
    "# programs write them and have stored them, so they never change. `tools/dev rewrite` adds "
    "the\n"
    "# bytes of values that are not here yet, as those of a new version. It changes no others.\n";

GoldenForms all_golden_forms() {
  GoldenForms forms;
  add_commands(forms);
  add_refusals(forms);
  add_transactions(forms);
  add_tree_transactions(forms);
  add_outcomes(forms);
  add_stored_records(forms);
  add_greetings(forms);
  add_peer_messages(forms);
  return forms;
}

// By name, as hex digits.
std::map<std::string, std::string> known_bytes(const std::string& path) {
  std::map<std::string, std::string> known;
  std::ifstream file(path);
  std::string name;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("  ")) {
      known[name] += line.substr(2);
    } else {
      name = line;
    }
  }
  return known;
}

wire::Bytes bytes_of_hex(const std::string& digits) {
  wire::Bytes bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

void rewrite(const std::string& path, const GoldenForms& forms,
             std::map<std::string, std::string> known) {
  std::ofstream file(path);
  file << explanation;
  const auto write = [&](const std::string& name, const std::string& digits) {
    file << '\n' << name << '\n';
    for (std::size_t at = 0; at < digits.size(); at += digits_a_line) {
      file << "  " << digits.substr(at, digits_a_line) << '\n';
    }
  };
  for (const GoldenForm& form : forms) {
    const auto found = known.find(form.name);
    write(form.name, found == known.end() ? support::hex(form.written) : found->second);
    if (found != known.end()) known.erase(found);
  }
  for (const auto& [name, digits] : known) write(name, digits);
}

TEST_CASE("every version of every form has the same bytes as in all programs before, and is read") {
  const std::string path = support::source("tests/compat/forms.txt").string();
  const GoldenForms forms = all_golden_forms();
  std::map<std::string, std::string> known = known_bytes(path);
  std::vector<std::string> added;
  for (const GoldenForm& form : forms) {
    CAPTURE(form.name);
    const auto found = known.find(form.name);
    if (found == known.end()) {
      added.push_back(form.name);
      continue;
    }
    INFO("these bytes never change: a form that changes gets a new version, at a new level");
    CHECK(support::hex(form.written) == found->second);
    CHECK(form.reads_back(bytes_of_hex(found->second)));
    known.erase(found);
  }
  CHECK_MESSAGE(known.empty(), "no value is here for the bytes of " << known.begin()->first);
  if (added.empty()) return;
  if (std::getenv("ZABKEEPER_REWRITE") != nullptr) return rewrite(path, forms, known_bytes(path));
  FAIL_CHECK("tests/compat/forms.txt does not have " << added.front()
                                                     << ": add it with tools/dev rewrite");
}

TEST_CASE("there are golden bytes of the newest version of every form") {
  const wire::Forms& newest = wire::newest_forms;
  const GoldenForms forms = all_golden_forms();
  for (const auto& [form, version] : std::vector<std::pair<std::string, std::uint32_t>>{
           {"command", newest.command},
           {"transaction", newest.transaction},
           {"tree transaction", newest.tree_transaction},
           {"outcome", newest.outcome},
           {"refusal", newest.refusal},
           {"node", newest.node},
           {"session", newest.session},
           {"image", newest.image},
           {"message of protocol", server::known_protocols.greatest}}) {
    const std::string beginning = form + " " + std::to_string(version) + ",";
    CAPTURE(beginning);
    bool found = false;
    for (const GoldenForm& each : forms) found = found || each.name.starts_with(beginning);
    CHECK(found);
  }
}

}  // namespace
}  // namespace golden
