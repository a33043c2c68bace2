#include "tools/shell/command_line.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "tools/shell/browse_options.h"
#include "tools/shell/change_options.h"
#include "tools/shell/context_options.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/generated.h"
#include "tools/shell/global_options.h"
#include "tools/shell/grammar.h"
#include "tools/shell/line_settings.h"
#include "tools/shell/nearest.h"
#include "tools/shell/only_request.h"
#include "tools/shell/operator_options.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

wire::Zxid zxid_of(const std::string& text) {
  const auto bits = wire::from_hex(text);
  if (!bits) throw CLI::ValidationError("--from", "must be a zxid of 16 hex digits");
  return wire::Zxid::from_bits(*bits);
}

// The options of every command. Parsing fills in the Command of the subcommand that was given.
class Commands {
 public:
  explicit Commands(CLI::App& app) : app_(app) {
    add_reads();
    add_browsing<Find>("find");
    add_browsing<Grep>("grep");
    add_browsing<Du>("du");
    add_browsing<Diff>("diff");
    add_browsing<Top>("top");
    add_writes();
    add_changes();
    add_server_commands();
    add_operator_commands();
    add_shell_commands();
  }

  // Makes parsing fast for this command, and impossible for the others.
  void keep_only(const std::string& name) {
    std::erase_if(commands_, [&](const auto& each) {
      return each.first->get_name() != name && app_.remove_subcommand(each.first);
    });
  }
  // Forgets the last line of the command that was kept.
  void reset() {
    // The addresses that the options have stay valid.
    for (const auto& [sub, command] : commands_) {
      std::visit([](auto& each) { each = {}; }, *command);
    }
  }

  // The command that was given, if any.
  [[nodiscard]] std::optional<Command> given() const {
    for (const auto& [sub, command] : commands_) {
      if (sub->parsed()) return *command;
    }
    return std::nullopt;
  }
  // Its name, for help; empty without a command.
  [[nodiscard]] std::string topic() const {
    for (const auto& [sub, command] : commands_) {
      if (sub->parsed()) return sub->get_name();
    }
    return {};
  }

 private:
  template <typename T>
  std::pair<CLI::App*, T*> add(const char* name) {
    CLI::App* sub = app_.add_subcommand(name);
    auto& [app, command] = commands_.emplace_back(sub, std::make_unique<Command>(T{}));
    return {sub, &std::get<T>(*command)};
  }

  template <typename T>
  void add_browsing(const char* name) {
    auto [sub, command] = add<T>(name);
    add_options(*sub, *command);
  }

  void add_reads() {
    {
      auto [sub, ls] = add<Ls>("ls");
      sub->add_flag("-l", ls->details);
      sub->add_flag("-R", ls->recursive);
      sub->add_flag("-0,--null", ls->null);
      sub->add_option("PATH", ls->path);
    }
    {
      auto [sub, tree] = add<Tree>("tree");
      sub->add_option("-d,--depth", tree->depth_max)->check(CLI::NonNegativeNumber);
      sub->add_flag("-s", tree->sizes);
      sub->add_option("PATH", tree->path);
    }
    for (const char* name : {"get", "cat"}) {
      auto [sub, get] = add<Get>(name);
      auto* stat = sub->add_flag("-s", get->stat);
      auto* raw = sub->add_flag("--raw", get->raw)->excludes(stat);
      sub->add_flag("--pretty", get->pretty)->excludes(raw);
      sub->add_option("PATH", get->path)->required();
    }
    for (const char* name : {"stat", "exists"}) {
      auto [sub, stat] = add<ShowStat>(name);
      sub->add_option("PATH", stat->path)->required();
    }
    {
      auto [sub, count] = add<Count>("count");
      sub->add_option("PATH", count->path);
    }
    {
      auto [sub, ephemerals] = add<Ephemerals>("ephemerals");
      sub->add_option("PREFIX", ephemerals->prefix);
    }
    add_watch();
    add_holding();
    add_following();
  }

  void add_watch() {
    static const std::map<std::string, wire::WatchScope> scopes{
        {"node", wire::WatchScope::node},
        {"children", wire::WatchScope::children},
        {"subtree", wire::WatchScope::subtree}};
    auto [sub, watch] = add<Watch>("watch");
    auto* scope =
        sub->add_option("--scope", watch->scope)->transform(CLI::CheckedTransformer(scopes));
    sub->add_flag_callback("--recursive",
                           [watch = watch] { watch->scope = wire::WatchScope::subtree; })
        ->excludes(scope);
    sub->add_option_function<std::string>(
        "--from", [watch = watch](const std::string& text) { watch->from = zxid_of(text); });
    sub->add_flag("--parallel", watch->parallel);
    sub->add_flag("--exit-on-error", watch->exit_on_error);
    auto* once = sub->add_flag_callback("--once", [watch = watch] { watch->count = 1; });
    sub->add_option("--count", watch->count)->check(CLI::PositiveNumber)->excludes(once);
    sub->add_option("PATH", watch->path)->required();
  }

  void add_holding() {
    {
      auto [sub, lock] = add<Lock>("lock");
      sub->add_option("--limit", lock->limit)->check(CLI::Range(1, wire::turn_limit_max));
      auto* timeout = add_timeout(*sub, lock->timeout);
      sub->add_flag_callback("--try", [lock = lock] { lock->timeout.emplace(0); })
          ->excludes(timeout);
      sub->add_option("PATH", lock->path)->required();
    }
    auto [sub, elect] = add<Elect>("elect");
    auto* observe = sub->add_flag("--observe", elect->observe);
    sub->add_option("PATH", elect->path)->required();
    sub->add_option("VALUE", elect->value)->excludes(observe);
  }

  void add_following() {
    static const std::map<std::string, Await::State> states{{"exists", Await::State::exists},
                                                            {"gone", Await::State::gone},
                                                            {"changed", Await::State::changed},
                                                            {"equals", Await::State::equals}};
    {
      auto [sub, await] = add<Await>("await");
      add_timeout(*sub, await->timeout);
      sub->add_option("PATH", await->path)->required();
      sub->add_option("STATE", await->state)
          ->required()
          ->transform(CLI::CheckedTransformer(states));
      auto* value = sub->add_option("VALUE", await->value);
      sub->callback([await = await, value = value] {
        if ((await->state == Await::State::equals) == !value->empty()) return;
        throw CLI::ParseError("VALUE is required by equals, and excluded by the others", 1);
      });
    }
    auto [sub, serve] = add<ServeConfig>("serve-config");
    sub->add_option_function<std::string>("--check", [serve = serve](const std::string& text) {
      auto words = split_words(text);
      if (words.has_error()) throw CLI::ValidationError("--check", words.error().message);
      if (words->empty()) throw CLI::ValidationError("--check", "must not be empty");
      serve->check = std::move(*words);
    });
    sub->add_option("PATH", serve->path)->required();
    sub->add_option("FILE", serve->file)->required();
  }

  static CLI::Option* add_timeout(CLI::App& sub, std::optional<std::chrono::milliseconds>& to) {
    // More is as good as for ever, and would be too large for a clock of nanoseconds.
    static constexpr double seconds_max = 365.0 * 24 * 3600;
    return sub
        .add_option_function<double>(
            "--timeout",
            [&to](double seconds) {
              const std::chrono::duration<double> time(std::min(seconds, seconds_max));
              to = std::chrono::ceil<std::chrono::milliseconds>(time);
            })
        ->check(CLI::NonNegativeNumber);
  }

  void add_writes() {
    {
      auto [sub, set] = add<Set>("set");
      sub->add_option("-v", set->version);
      sub->add_flag("--create", set->create);
      sub->add_option("PATH", set->path)->required();
      sub->add_option("DATA", set->data)->required();
    }
    {
      auto [sub, create] = add<Create>("create");
      sub->add_flag("-e", create->ephemeral);
      sub->add_flag("-s", create->sequential);
      sub->add_flag("-p", create->parents);
      sub->add_flag("-c", create->container);
      sub->add_option("--ttl", create->ttl_ms);
      sub->add_option("PATH", create->path)->required();
      sub->add_option("DATA", create->data);
    }
    for (const char* name : {"delete", "rm"}) {
      auto [sub, remove] = add<Delete>(name);
      sub->add_flag("-r", remove->recursive);
      sub->add_flag("-f", remove->without_question);
      sub->add_option("-v", remove->version);
      sub->add_option("PATH", remove->path)->required();
    }
  }

  void add_changes() {
    add_described<Export>("export");
    add_described<Import>("import");
    add_described<Copy>("cp");
    add_described<Move>("mv");
    add_described<AclCommand>("acl");
    add_described<Quota>("quota");
    add_described<Multi>("multi");
    add_described<Edit>("edit");
  }

  // Its options are those of an overload of add_options.
  template <typename T>
  void add_described(const char* name) {
    auto [sub, command] = add<T>(name);
    add_options(*sub, *command);
  }

  void add_server_commands() {
    {
      auto [sub, sync] = add<Sync>("sync");
      sub->add_option("PATH", ignored_);
    }
    add<Whoami>("whoami");
    add<Ping>("ping");
    add_operator_command<Status>("status");
    {
      auto [sub, metrics] = add<Metrics>("metrics");
      sub->add_option("PREFIX", metrics->prefix);
    }
    {
      auto [sub, handover] = add<Handover>("handover");
      sub->add_option("ID", handover->to);
    }
    auto [cluster, level] = add<ClusterLevel>("cluster");
    cluster->require_subcommand(1);
    cluster->add_subcommand("level")->add_option("N", level->level);
  }

  template <typename T>
  void add_operator_command(const char* name) {
    auto [sub, command] = add<T>(name);
    add_options(*sub, *command);
  }

  void add_operator_commands() {
    add_operator_command<Sessions>("sessions");
    add_operator_command<Watches>("watches");
    add_operator_command<Checkpoint>("checkpoint");
    add_operator_command<Locks>("locks");
    add<Doctor>("doctor");
    add_operator_command<Debug>("debug");
  }

  void add_shell_commands() {
    {
      auto [sub, cd] = add<Cd>("cd");
      sub->add_option("PATH", cd->path);
    }
    add<Pwd>("pwd");
    {
      auto [sub, use] = add<UseContexts>("context");
      add_context_options(*sub, *use);
    }
    {
      auto [sub, help] = add<Help>("help");
      sub->add_option("COMMAND", help->topic);
    }
    add<Quit>("quit");
    add<Quit>("exit");
  }

  CLI::App& app_;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> commands_;
  std::string ignored_;
};

// Cuts off the words after the first `--`, if the command runs a program.
std::optional<Words> take_program(Words& words) {
  constexpr std::array<std::string_view, 4> commands{"watch", "lock", "elect", "serve-config"};
  const auto name = words.begin() + static_cast<std::ptrdiff_t>(command_at(words));
  if (name == words.end() || std::ranges::find(commands, *name) == commands.end()) return {};
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
  // See Commands.
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
      return Notice{"unknown command: " + extra + did_you_mean(extra, names_of_commands(grammar)) +
                        "\n`help` lists the commands\n",
                    exit_usage};
    }
    std::string reason = error.what();
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

  SettingTexts texts_;
  CLI::App app_;
  Commands commands_;
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
  if (status != nullptr && status->watch) return true;
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
