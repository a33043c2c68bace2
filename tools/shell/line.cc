#include "tools/shell/line.h"

#include <utility>

#include "tools/shell/exit_codes.h"
#include "tools/shell/words.h"

namespace shell {

std::variant<Blank, Notice, CommandLine> read_line(const std::string& text, LineParser& parser) {
  auto words = split_words(text);
  if (words.has_error()) return Notice{words.error().message + '\n', exit_usage};
  if (words->empty() || words->front().starts_with('#')) return Blank{};
  auto parsed = parser.parse(std::move(*words));
  if (auto* notice = std::get_if<Notice>(&parsed)) return std::move(*notice);
  auto& line = std::get<CommandLine>(parsed);
  if (!line.command) return Blank{};
  return std::move(line);
}

int print_notice(const Notice& notice, Streams streams) {
  streams.out.flush();
  (notice.exit_code == exit_ok ? streams.out : streams.err) << notice.text << std::flush;
  return notice.exit_code;
}

}  // namespace shell
