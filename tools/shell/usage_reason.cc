#include "tools/shell/usage_reason.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <CLI/CLI.hpp>

namespace shell {
namespace {

struct OtherName {
  std::string_view name;
  std::string_view command;
};

constexpr std::array other_names{
    OtherName{"addWatch", "watch"},
    OtherName{"addauth", "zab --auth"},
    OtherName{"copy", "cp"},
    OtherName{"del", "delete"},
    OtherName{"deleteall", "delete -r"},
    OtherName{"delquota", "quota set"},
    OtherName{"dir", "ls"},
    OtherName{"getAcl", "acl get"},
    OtherName{"getAllChildrenNumber", "count"},
    OtherName{"getEphemerals", "ephemerals"},
    OtherName{"list", "ls"},
    OtherName{"listquota", "quota get"},
    OtherName{"mkdir", "create"},
    OtherName{"move", "mv"},
    OtherName{"put", "set"},
    OtherName{"rename", "mv"},
    OtherName{"rmr", "delete -r"},
    OtherName{"setAcl", "acl set"},
    OtherName{"setquota", "quota set"},
    OtherName{"touch", "create"},
    OtherName{"txn", "multi"},
};

// Operators of other shells.
constexpr std::array<std::string_view, 7> operators{"|", ">", ">>", "<", "&", "&&", ";"};

std::string joined_by(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string reason_of_extras(const std::vector<std::string>& extras) {
  std::string reason = "not expected: " + joined_by(extras, " ");
  const bool has_operator = std::ranges::any_of(extras, [](const std::string& word) {
    return std::ranges::find(operators, word) != operators.end();
  });
  if (has_operator) reason += "; a line is one command, without pipes and redirections";
  return reason;
}

// The text between `begin` and `end`; empty if one of them is missing.
std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t first = text.find(begin);
  if (first == std::string_view::npos) return {};
  text.remove_prefix(first + begin.size());
  const std::size_t last = text.find(end);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last);
}

std::string wrong_value(std::string_view name, std::string_view value) {
  return std::string(name) + ": '" + std::string(value) + "' is not a valid value";
}

}  // namespace

std::string usage_reason(const CLI::ParseError& error, const std::vector<std::string>& extras,
                         const Grammar* command) {
  const std::string said = error.what();
  const std::string name = said.substr(0, said.find(": "));
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !extras.empty()) {
    return reason_of_extras(extras);
  }
  if (said == "A subcommand is required" && command != nullptr) {
    return command->command + ": " + joined_by(names_of_commands(*command), " or ") +
           " is required";
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    const std::string_view option = between(said, "Could not convert: ", " = ");
    if (!option.empty()) return wrong_value(option, said.substr(said.find(" = ") + 3));
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && said.ends_with(" missing")) {
    return name + " needs a value";
  }
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) {
    // The limits of a number without limits have hundreds of digits.
    constexpr std::size_t limits_max = 100;
    const std::string_view number = between(said, ": Value ", " not in range ");
    if (!number.empty() && said.size() > limits_max) return wrong_value(name, number);
    const std::string_view word = between(said, ": Check ", " value in {");
    if (!word.empty()) return wrong_value(name, word);
  }
  return said;
}

std::string other_name_hint(std::string_view word) {
  const auto* const found = std::ranges::find(other_names, word, &OtherName::name);
  if (found == other_names.end()) return {};
  return "; did you mean `" + std::string(found->command) + "`?";
}

}  // namespace shell
