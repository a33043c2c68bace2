#include "tools/shell/completion.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tools/shell/words.h"

namespace shell {
namespace {

void offer_beginning(const std::vector<std::string>& words, std::string_view begun, Offer& offer) {
  for (const std::string& word : words) {
    if (word.starts_with(begun)) offer.words.push_back(word);
  }
}

// The positionals of the command among the words before the begun one.
std::vector<std::string> positionals_before(const Grammar& line, const Grammar& command,
                                            const Words& before) {
  std::vector<std::string> positionals;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!before[i].starts_with('-')) {
      positionals.push_back(before[i]);
    } else if (takes_value(command, before[i]) || takes_value(line, before[i])) {
      ++i;
    }
  }
  return positionals;
}

void offer_positional(const std::string& name, const Grammar& line, std::string_view begun,
                      Offer& offer) {
  constexpr std::array<std::string_view, 8> free_texts{"DATA", "VALUE", "ID",      "N",
                                                       "NAME", "ZXID",  "PATTERN", "LEVEL"};
  if (name == "COMMAND") {
    offer_beginning(names_of_commands(line), begun, offer);
  } else if (name == "STATE") {
    offer_beginning({"exists", "gone", "changed", "equals"}, begun, offer);
  } else if (name == "FILE") {
    offer.names = Offer::Names::files;
  } else if (std::ranges::find(free_texts, name) == free_texts.end()) {
    offer.names = Offer::Names::nodes;
  }
}

}  // namespace

BegunWord begun_word(std::string_view line) {
  std::size_t at = 0;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      at = i + 1;
    }
  }
  BegunWord begun;
  begun.at = at;
  if (auto before = split_words(line.substr(0, at))) begun.before = std::move(*before);
  std::string rest(line.substr(at));
  if (quote != 0) rest += quote;
  if (const auto words = split_words(rest); words && !words->empty()) begun.word = words->front();
  return begun;
}

Offer offer_for(const Grammar& line, const BegunWord& begun) {
  Offer offer;
  Words before = begun.before;
  if (std::ranges::find(before, "--") != before.end()) {
    offer.names = Offer::Names::files;
    return offer;
  }
  if (before.empty()) {
    offer_beginning(names_of_commands(line), begun.word, offer);
    return offer;
  }
  const Grammar* command = find_command(line, before.front());
  if (command == nullptr) return offer;
  before.erase(before.begin());
  if (!before.empty() && before.back() == "--output") {
    offer_beginning({format_names.begin(), format_names.end()}, begun.word, offer);
    return offer;
  }
  if (!before.empty() &&
      (takes_value(*command, before.back()) || takes_value(line, before.back()))) {
    return offer;
  }
  if (begun.word.starts_with('-')) {
    offer_beginning(names_of_options(*command), begun.word, offer);
    offer_beginning(names_of_options(line), begun.word, offer);
    return offer;
  }
  std::vector<std::string> positionals = positionals_before(line, *command, before);
  if (!command->subcommands.empty()) {
    const Grammar* sub =
        positionals.empty() ? nullptr : find_command(*command, positionals.front());
    if (sub == nullptr) {
      if (positionals.empty()) offer_beginning(names_of_commands(*command), begun.word, offer);
      return offer;
    }
    command = sub;
    positionals.erase(positionals.begin());
  }
  if (positionals.size() < command->positionals.size()) {
    offer_positional(command->positionals[positionals.size()], line, begun.word, offer);
  }
  return offer;
}

std::string typed_word(std::string_view word) {
  std::string typed;
  for (const char c : word) {
    if (c == ' ' || c == '\t' || c == '\'' || c == '"' || c == '\\') typed += '\\';
    typed += c;
  }
  return typed;
}

}  // namespace shell
