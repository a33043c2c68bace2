#include "tools/shell/command_line.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "tools/shell/context_options.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/generated.h"
#include "tools/shell/global_options.h"
#include "tools/shell/grammar.h"
#include "tools/shell/line_settings.h"
#include "tools/shell/nearest.h"
#include "tools/shell/only_request.h"
#include "tools/shell/subcommands.h"
#include "tools/shell/usage_reason.h"

namespace shell {
namespace {

bool runs_program(const std::string& command) {
  constexpr std::array<std::string_view, 4> commands{"watch", "lock", "elect", "serve-config"};
  return std::ranges::find(commands, command) != commands.end();
}

// Cuts off the words after the first `--`, if the command runs a program.
std::optional<Words> take_program(Words& words) {
  const auto name = words.begin() + static_cast<std::ptrdiff_t>(command_at(words));
  if (name == words.end() || !runs_program(*name)) return {};
  const auto dashes = std::find(name, words.end(), "--");
  if (dashes == words.end()) return std::nullopt;
  Words program(dashes + 1, words.end());
  words.erase(dashes, words.end());
  return program;
}

// Throws if the command needs a program and has none, or the reverse.
void give_program(Command& command, std::optional<Words> program) {
  const auto* elect = std::get_if<Elect>(&command);
  if (elect != nullptr && elect->observe && program) {
    throw CLI::ParseError("--observe excludes CMD", 1);
  }
  const bool is_needed =
      std::holds_alternative<Lock>(command) || (elect != nullptr && !elect->observe);
  const bool is_empty = program && (program->empty() || program->front().empty());
  if (is_empty || (is_needed && !program)) throw CLI::ParseError("-- CMD is required", 1);
  const auto* watch = std::get_if<Watch>(&command);
  if (watch != nullptr && !program && (watch->parallel || watch->exit_on_error)) {
    throw CLI::ParseError("--parallel and --exit-on-error need -- CMD", 1);
  }
  if (!program) return;
  std::visit(
      [&](auto& each) {
        if constexpr (requires { each.program; }) each.program = std::move(*program);
      },
      command);
}

}  // namespace

class Parser {
 public:
  // `version`: of the program whose arguments are parsed; null: a line of the shell is parsed.
  explicit Parser(const std::string* version) : app_("", "zab"), commands_(prepare(app_)) {
    add_global_options(app_, version ? OptionPlace::program : OptionPlace::also_lines, texts_);
    if (version) app_.set_version_flag("--version", "zab " + *version);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // `otherwise`: settings of less weight than those of the words.
  std::variant<CommandLine, Notice> parse(Words words, const Common& common,
                                          SettingTexts otherwise = {},
                                          const ContextSource& contexts = {}) try {
    CommandLine line;
    line.common = common;
    texts_.clear();
    std::optional<Words> program = take_program(words);
    has_program_ = program.has_value();
    std::ranges::reverse(words);  // CLI11 takes the last word first
    app_.parse(std::move(words));
    line.command = commands_.given();
    auto* use = line.command ? std::get_if<UseContexts>(&*line.command) : nullptr;
    if (use != nullptr && use->action == UseContexts::Action::set) {
      give_settings(*use, std::exchange(texts_, {}));
    }
    texts_.merge(otherwise);
    if (use == nullptr) add_context(texts_, line.command, contexts);
    apply_settings(texts_, line);
    if (line.command) {
      give_program(*line.command, std::move(program));
      give_timeout(*line.command, line.common.timeout);
    }
    return line;
  } catch (const CLI::CallForVersion& asked) {
    return Notice{std::string(asked.what()) + '\n', exit_ok};
  } catch (const CLI::CallForHelp&) {
    return Notice{help(commands_.topic()), exit_ok};
  } catch (const WrongSetting& error) {
    return Notice{std::string(error.what()) + "\n`zab help` explains the options\n", exit_usage};
  } catch (const CLI::ParseError& error) {
    return wrong_usage(error);
  }

  [[nodiscard]] Grammar grammar() const { return grammar_of(app_); }
  // See Subcommands.
  void keep_only(const std::string& name) { commands_.keep_only(name); }
  void reset() { commands_.reset(); }

 private:
  // Subcommands inherit from it when they are added.
  static CLI::App& prepare(CLI::App& app) {
    app.fallthrough();
    app.require_subcommand(0, 1);
    return app;
  }
  [[nodiscard]] Notice wrong_usage(const CLI::ParseError& error) const {
    const std::string topic = commands_.topic();
    const std::vector<std::string> extras = app_.remaining(/*recurse=*/true);
    const std::string extra = extras.empty() ? "" : extras.front();
    const Grammar grammar = grammar_of(app_);
    const Grammar* command = find_command(grammar, topic);
    if (command == nullptr && !extra.empty() && !extra.starts_with('-')) {
      std::string hint = other_name_hint(extra);
      if (hint.empty()) hint = did_you_mean(extra, names_of_commands(grammar));
      return Notice{"unknown command: " + extra + hint + "\n`help` lists the commands\n",
                    exit_usage};
    }
    std::string reason = usage_reason(error, extras, command);
    if (!extra.empty() && !extra.starts_with('-') && !has_program_ && runs_program(topic)) {
      reason += "; `--` begins CMD";
    }
    if (command != nullptr && !command->subcommands.empty() && !extra.starts_with('-')) {
      reason += did_you_mean(extra, names_of_commands(*command));
    }
    if (extra.starts_with("--")) {  // any letter is near to any other
      std::vector<std::string> options = names_of_options(grammar);
      for (const std::string& each : command ? names_of_options(*command) : Words()) {
        options.push_back(each);
      }
      reason += did_you_mean(extra, options);
    }
    return Notice{
        reason + '\n' + (command != nullptr ? help(topic) : "`help` lists the commands\n"),
        exit_usage};
  }

  bool has_program_ = false;  // of the words that are parsed
  SettingTexts texts_;
  CLI::App app_;
  Subcommands commands_;
};

LineParser::LineParser(Common common) : common_(common) {}
LineParser::~LineParser() = default;

std::variant<CommandLine, Notice> parse_line(Words words) {
  return LineParser().parse(std::move(words));
}

std::variant<CommandLine, Notice> LineParser::parse(Words words) {
  const std::size_t at = command_at(words);
  const std::string name = at < words.size() ? words[at] : std::string();
  if (const auto known = parsers_.find(name); known != parsers_.end()) {
    known->second->reset();
    return known->second->parse(std::move(words), common_);
  }
  auto parser = std::make_unique<Parser>(nullptr);
  auto parsed = parser->parse(std::move(words), common_);
  const auto* line = std::get_if<CommandLine>(&parsed);
  if (line && line->command && only_request(*line->command, "/")) {
    parser->keep_only(name);
    parsers_.emplace(name, std::move(parser));
  }
  return parsed;
}

Grammar program_grammar() {
  const std::string version;
  return Parser(&version).grammar();
}

Grammar line_grammar() { return Parser(nullptr).grammar(); }

bool is_lasting(const Command& command) {
  if (std::holds_alternative<Edit>(command)) return false;  // an editor has the terminal
  return outlives_sessions(command) || std::holds_alternative<Lock>(command) ||
         std::holds_alternative<Elect>(command);
}

bool ends_when_interrupted(const Command& command) {
  const auto* elect = std::get_if<Elect>(&command);
  const auto* status = std::get_if<Status>(&command);
  const auto* mirror = std::get_if<Mirror>(&command);
  if (status != nullptr && status->watch) return true;
  if (mirror != nullptr && !mirror->once && !mirror->dry_run) return true;
  return std::holds_alternative<Watch>(command) || std::holds_alternative<Top>(command) ||
         std::holds_alternative<ServeConfig>(command) || (elect != nullptr && elect->observe);
}

bool answers_by_exit_code(const Command& command) {
  return std::holds_alternative<Grep>(command) || std::holds_alternative<Diff>(command);
}

bool outlives_sessions(const Command& command) {
  return ends_when_interrupted(command) || std::holds_alternative<Await>(command) ||
         std::holds_alternative<Edit>(command);
}

std::variant<CommandLine, Notice> parse_command_line(std::vector<std::string> words,
                                                     const std::string& version,
                                                     const ContextSource& contexts) {
  const bool is_script = !words.empty() && words.back() == "-" && command_at(words) == words.size();
  if (is_script) words.pop_back();
  if (words.size() == 2 && words[0] == "--generate") {
    if (auto text = generated(words[1])) return Notice{std::move(*text), exit_ok};
    return Notice{"--generate: must be bash, zsh or man\n", exit_usage};
  }
  auto parsed = Parser(&version).parse(std::move(words), {}, environment_settings(), contexts);
  if (auto* line = std::get_if<CommandLine>(&parsed)) line->is_script = is_script;
  return parsed;
}

}  // namespace shell
