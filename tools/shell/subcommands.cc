#include "tools/shell/subcommands.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <variant>

#include "tools/shell/browse_options.h"
#include "tools/shell/change_options.h"
#include "tools/shell/context_options.h"
#include "tools/shell/operator_options.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

wire::Zxid zxid_of(const std::string& text) {
  const auto bits = wire::from_hex(text);
  if (!bits) throw CLI::ValidationError("--from", "must be a zxid of 16 hex digits");
  return wire::Zxid::from_bits(*bits);
}

CLI::Option* add_timeout(CLI::App& sub, std::optional<std::chrono::milliseconds>& to) {
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

}  // namespace

Subcommands::Subcommands(CLI::App& app) : app_(app) {
  add_reads();
  add_browsing();
  add_writes();
  add_changes();
  add_server_commands();
  add_operator_commands();
  add_shell_commands();
}

void Subcommands::keep_only(const std::string& name) {
  std::erase_if(commands_, [&](const auto& each) {
    return each.first->get_name() != name && app_.remove_subcommand(each.first);
  });
}

void Subcommands::reset() {
  // The addresses that the options have stay valid.
  for (const auto& [sub, command] : commands_) {
    std::visit([](auto& each) { each = {}; }, *command);
  }
}

std::optional<Command> Subcommands::given() const {
  for (const auto& [sub, command] : commands_) {
    if (sub->parsed()) return *command;
  }
  return std::nullopt;
}

std::string Subcommands::topic() const {
  for (const auto& [sub, command] : commands_) {
    if (sub->parsed()) return sub->get_name();
  }
  return {};
}

template <typename T>
std::pair<CLI::App*, T*> Subcommands::add(const char* name) {
  CLI::App* sub = app_.add_subcommand(name);
  auto& [app, command] = commands_.emplace_back(sub, std::make_unique<Command>(T{}));
  return {sub, &std::get<T>(*command)};
}

template <typename T>
void Subcommands::add_described(const char* name) {
  auto [sub, command] = add<T>(name);
  add_options(*sub, *command);
}

void Subcommands::add_reads() {
  {
    auto [sub, ls] = add<Ls>("ls");
    auto* details = sub->add_flag("-l", ls->details);
    sub->add_flag("-R", ls->recursive);
    sub->add_flag("-0,--null", ls->null)->excludes(details);
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

void Subcommands::add_watch() {
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

void Subcommands::add_holding() {
  {
    auto [sub, lock] = add<Lock>("lock");
    sub->add_option("--limit", lock->limit)->check(CLI::Range(1, wire::turn_limit_max));
    auto* timeout = add_timeout(*sub, lock->timeout);
    sub->add_flag_callback("--try", [lock = lock] { lock->timeout.emplace(0); })->excludes(timeout);
    sub->add_option("PATH", lock->path)->required();
  }
  auto [sub, elect] = add<Elect>("elect");
  auto* observe = sub->add_flag("--observe", elect->observe);
  sub->add_option("PATH", elect->path)->required();
  sub->add_option("VALUE", elect->value)->excludes(observe);
}

void Subcommands::add_following() {
  static const std::map<std::string, Await::State> states{{"exists", Await::State::exists},
                                                          {"gone", Await::State::gone},
                                                          {"changed", Await::State::changed},
                                                          {"equals", Await::State::equals}};
  {
    auto [sub, await] = add<Await>("await");
    add_timeout(*sub, await->timeout);
    sub->add_option("PATH", await->path)->required();
    sub->add_option("STATE", await->state)->required()->transform(CLI::CheckedTransformer(states));
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

void Subcommands::add_browsing() {
  add_described<Find>("find");
  add_described<Grep>("grep");
  add_described<Du>("du");
  add_described<Diff>("diff");
  add_described<Top>("top");
}

void Subcommands::add_writes() {
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

void Subcommands::add_changes() {
  add_described<Export>("export");
  add_described<Import>("import");
  add_described<Copy>("cp");
  add_described<Move>("mv");
  add_described<Mirror>("mirror");
  add_described<AclCommand>("acl");
  add_described<Quota>("quota");
  add_described<Multi>("multi");
  add_described<Edit>("edit");
}

void Subcommands::add_server_commands() {
  {
    auto [sub, sync] = add<Sync>("sync");
    sub->add_option("PATH", ignored_);
  }
  add<Whoami>("whoami");
  add<Ping>("ping");
  add_described<Status>("status");
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

void Subcommands::add_operator_commands() {
  add_described<Sessions>("sessions");
  add_described<Watches>("watches");
  add_described<Checkpoint>("checkpoint");
  add_described<Locks>("locks");
  add<Doctor>("doctor");
  add_described<Debug>("debug");
}

void Subcommands::add_shell_commands() {
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

}  // namespace shell
