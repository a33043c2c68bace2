#include "tools/shell/interactive.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <locale.h>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <variant>
#include <vector>

#include <editline/readline.h>

#include "tools/shell/completion.h"
#include "tools/shell/line_history.h"
#include "tools/shell/node_names.h"
#include "tools/shell/words.h"
#include "wire/terminal_text.h"
#include "wire/utf8.h"

namespace shell {
namespace {

// The data of the completion function. They are global because readline passes it no argument.
struct {
  Runner* runner = nullptr;
  zabkeeper::Client* client = nullptr;
  Grammar grammar;
  std::vector<std::string> matches;
} completion;

// Lets readline read UTF-8 in this thread, whatever the environment says. It drops characters that
// the locale does not have.
void use_utf8() {
  static const ::locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 != nullptr) ::uselocale(utf8);
}

// The number of bytes of the first `count` characters.
std::size_t bytes_of(std::string_view text, int count) {
  std::size_t bytes = 0;
  for (; count > 0 && bytes < text.size(); --count) bytes += wire::character_size(text[bytes]);
  return std::min(bytes, text.size());
}

char* next_match(const char*, int state) {
  const auto at = static_cast<std::size_t>(state);
  return at < completion.matches.size() ? strdup(completion.matches[at].c_str()) : nullptr;
}

// `text` is the end of the word, from `start` on: a word with escaped blanks begins before it.
// `start` and `end` count characters, not bytes.
char** complete(const char* text, int start, int end) {
  completion.matches.clear();
  const std::string_view buffer = rl_line_buffer;
  const std::string line(buffer.substr(0, bytes_of(buffer, end)));
  const BegunWord begun = begun_word(line);
  Offer offer = offer_for(completion.grammar, begun);
  if (offer.names == Offer::Names::nodes) {
    offer.words = node_names(*completion.client, completion.runner->cwd(), begun.word);
  }
  const bool is_unfinished = offer.words.size() == 1 && offer.words.front().ends_with('/');
  const std::size_t done = bytes_of(buffer, start) - begun.at;
  for (const std::string& word : offer.words) {
    const std::string typed = typed_word(word);
    if (!typed.starts_with(line.substr(begun.at))) continue;  // the word was begun with quotes
    completion.matches.push_back(typed.substr(std::min(done, typed.size())));
  }
  rl_completion_append_character = is_unfinished ? '\0' : ' ';
  rl_attempted_completion_over = offer.names == Offer::Names::files ? 0 : 1;
  return rl_completion_matches(text, next_match);
}

// Runs one line. Returns false if the shell is to end.
bool run_line(const std::string& text, LineParser& parser, Runner& runner, Streams streams) {
  auto read = read_line(text, parser);
  if (const auto* notice = std::get_if<Notice>(&read)) print_notice(*notice, streams);
  const auto* line = std::get_if<CommandLine>(&read);
  if (line == nullptr) return true;
  if (std::holds_alternative<Quit>(*line->command)) return false;
  interrupted = false;
  runner.run(*line->command, line->common);
  return true;
}

// Reads a line from the terminal. Returns nothing at the end of the input and after Ctrl-C.
std::optional<std::string> ask_for_line(const std::string& prompt) {
  errno = 0;
  char* line = readline(prompt.c_str());
  if (line == nullptr) return std::nullopt;
  std::string text = line;
  std::free(line);
  return text;
}

// Reads a command. If a quote is not closed, the command goes on in the next line.
std::optional<std::string> ask_for_command(const std::string& prompt) {
  std::optional<std::string> text = ask_for_line(prompt);
  while (text && split_words(*text).has_error()) {
    const std::optional<std::string> more = ask_for_line("> ");
    if (!more) return interrupted ? std::nullopt : text;
    *text += '\n' + *more;
  }
  return text;
}

bool may_have_colour(const Output& out) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return out.is_terminal() && (no_colour == nullptr || *no_colour == '\0') && terminal != nullptr &&
         std::strcmp(terminal, "dumb") != 0;
}

// The bytes 1 and 2 around an escape sequence tell readline that it has no width.
std::string coloured(const std::string& text, const char* colour) {
  return std::string("\1\x1b[") + colour + "m\2" + text + "\1\x1b[0m\2";
}

std::string prompt_of(const std::string& label, const std::string& cwd, bool has_colour) {
  const std::string path = wire::terminal_text(cwd);
  if (!has_colour) return "[zab " + label + "] " + path + "> ";
  const char* colour = label == "offline" ? "31" : "32";
  return "[zab " + coloured(label, colour) + "] " + coloured(path, "34") + "> ";
}

}  // namespace

int run_interactive(Runner& runner, zabkeeper::Client& client,
                    const std::function<std::string()>& label, const Common& common,
                    Streams streams) {
  completion = {&runner, &client, line_grammar(), {}};
  use_utf8();
  rl_readline_name = "zab";
  rl_attempted_completion_function = complete;
  LineHistory history;
  const bool has_colour = may_have_colour(streams.out);

  LineParser parser(common);
  for (;;) {
    const auto text = ask_for_command(prompt_of(label(), runner.cwd(), has_colour));
    if (!text) {
      if (!interrupted) break;
      interrupted = false;
      streams.out << '\n' << std::flush;
      continue;
    }
    if (text->find_first_not_of(" \t") == std::string::npos) continue;
    history.add(*text);
    if (!run_line(*text, parser, runner, streams)) break;
  }
  return exit_ok;
}

}  // namespace shell
