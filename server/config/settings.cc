#include "server/config/settings.h"

#include <algorithm>

#include "server/config/text.h"

namespace server {
namespace {

// A line of a properties file. A line that ends in a backslash is joined with the next one.
struct Line {
  std::string text;
  std::size_t number = 0;  // of its first part
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  bool continues = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));

    if (!continues && (line.empty() || line.front() == '#' || line.front() == '!')) continue;
    if (!continues) lines.push_back({{}, number});
    const std::size_t last = line.find_last_not_of('\\');
    const std::size_t backslashes = line.size() - (last == line.npos ? 0 : last + 1);
    continues = backslashes % 2 == 1;
    if (continues) line.remove_suffix(1);
    lines.back().text += line;
  }
  return lines;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

}  // namespace

FileSettings read_settings(std::string_view text, const std::string& name) {
  FileSettings file;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (const Line& line : lines_of(text)) {
    const std::string source = name + ":" + std::to_string(line.number);
    const std::size_t end = line.text.find_first_of("=: \t");
    std::string key = line.text.substr(0, end);
    std::string_view value = end == std::string::npos ? "" : trimmed(line.text).substr(end);
    value = trimmed(value);
    if (!value.empty() && (value.front() == '=' || value.front() == ':')) {
      value = trimmed(value.substr(1));
    } else {
      file.errors.push_back(source + ": \"" + line.text + "\" is not key=value");
      continue;
    }
    // ZooKeeper's name for the same key as a Java property.
    if (key.starts_with("zookeeper.")) key.erase(0, std::string_view("zookeeper.").size());

    const auto [before, fresh] = file.settings.try_emplace(key, Setting{unescaped(value), source});
    if (fresh) continue;
    if (key.starts_with("server.")) {
      file.errors.push_back(source + ": " + key + " is set twice, first at " +
                            before->second.source);
    } else {
      file.notes.push_back(source + ": " + key + " is set twice; this line counts, not " +
                           before->second.source);
    }
    before->second = {unescaped(value), source};
  }
  return file;
}

}  // namespace server
