#include "tools/shell/interactive.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

#include <editline/readline.h>

#include "tools/shell/words.h"
#include "wire/terminal_text.h"

namespace shell {
namespace {

// The data of the completion function: readline gives it no argument.
struct {
  Runner* runner = nullptr;
  zabkeeper::Client* client = nullptr;
  std::vector<std::string> matches;
} completion;

void match_commands(std::string_view start) {
  for (std::string& name : command_names()) {
    if (name.starts_with(start)) completion.matches.push_back(std::move(name));
  }
}

void match_paths(std::string_view start) {
  const std::size_t slash = start.rfind('/');
  const std::string_view typed = slash == std::string_view::npos ? "" : start.substr(0, slash + 1);
  const std::string_view begun = slash == std::string_view::npos ? start : start.substr(slash + 1);
  wire::ChildrenRequest request;
  request.path = resolve(completion.runner->cwd(), typed.empty() ? "." : typed);
  request.with_stat = true;
  request.limit = 1'000;
  const auto children = completion.client->call(std::move(request));
  if (children.has_error()) return;
  for (const wire::Child& child : children->children) {
    if (!child.name.starts_with(begun)) continue;
    // libedit would print the name as it is, and nobody could type it.
    if (wire::terminal_text(child.name) != child.name) continue;
    const bool has_children = child.stat && child.stat->num_children > 0;
    completion.matches.push_back(std::string(typed) + child.name + (has_children ? "/" : ""));
  }
}

char* next_match(const char*, int state) {
  const auto at = static_cast<std::size_t>(state);
  return at < completion.matches.size() ? strdup(completion.matches[at].c_str()) : nullptr;
}

char** complete(const char* text, int start, int) {
  completion.matches.clear();
  const std::string before(rl_line_buffer, static_cast<std::size_t>(start));
  const bool first = before.find_first_not_of(' ') == std::string::npos;
  if (first || before == "help ") {
    match_commands(text);
  } else {
    match_paths(text);
  }
  const bool unfinished =
      completion.matches.size() == 1 && completion.matches.front().ends_with('/');
  rl_completion_append_character = unfinished ? '\0' : ' ';
  rl_attempted_completion_over = 1;
  return rl_completion_matches(text, next_match);
}

enum class Next { read_on, quit };

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

std::string history_file() {
  const char* home = std::getenv("HOME");
  return home ? std::string(home) + "/.zab_history" : std::string();
}

}  // namespace

int run_interactive(Runner& runner, zabkeeper::Client& client,
                    const std::function<std::string()>& label, const Common& common,
                    Streams streams) {
  completion = {&runner, &client, {}};
  rl_readline_name = "zab";
  rl_attempted_completion_function = complete;
  using_history();
  const std::string history = history_file();
  if (!history.empty()) read_history(history.c_str());

  LineParser parser(common);
  for (;;) {
    const std::string prompt = "[zab " + label() + "] " + wire::terminal_text(runner.cwd()) + "> ";
    errno = 0;
    char* line = readline(prompt.c_str());
    if (!line) {
      if (!interrupted) break;
      interrupted = false;
      streams.out << '\n' << std::flush;
      continue;
    }
    const std::string text = line;
    std::free(line);
    if (text.find_first_not_of(" \t") == std::string::npos) continue;
    add_history(text.c_str());
    if (!run_line(text, parser, runner, streams)) break;
  }
  if (!history.empty()) write_history(history.c_str());
  return exit_ok;
}

}  // namespace shell
