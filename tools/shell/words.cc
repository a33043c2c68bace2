#include "tools/shell/words.h"

#include <optional>

namespace shell {

wire::Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '\\' && quote != '\'') {
      if (++at == line.size()) break;
      if (!word) word.emplace();
      word->push_back(line[at]);
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word->push_back(c);
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      if (!word) word.emplace();
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (word) words.push_back(std::move(*word));
      word.reset();
    } else {
      if (!word) word.emplace();
      word->push_back(c);
    }
  }
  if (quote != 0) {
    return wire::Error{wire::ErrorCode::bad_arguments,
                       std::string("a quote is not closed: ") + quote};
  }
  if (word) words.push_back(std::move(*word));
  return words;
}

std::string resolve(std::string_view cwd, std::string_view path) {
  const std::string whole =
      path.starts_with('/') ? std::string(path) : std::string(cwd) + '/' + std::string(path);
  std::string resolved;
  std::size_t at = 0;
  while (at < whole.size()) {
    const std::size_t slash = std::min(whole.find('/', at), whole.size());
    const std::string_view name = std::string_view(whole).substr(at, slash - at);
    at = slash + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      const std::size_t last = resolved.rfind('/');
      resolved.resize(last == std::string::npos ? 0 : last);
      continue;
    }
    resolved += '/';
    resolved += name;
  }
  return resolved.empty() ? "/" : resolved;
}

std::string join(std::string_view parent, std::string_view name) {
  return (parent == "/" ? std::string() : std::string(parent)) + '/' + std::string(name);
}

}  // namespace shell
