#include "tools/shell/context_options.h"

#include <CLI/CLI.hpp>

namespace shell {

void add_context_options(CLI::App& app, UseContexts& use) {
  app.require_subcommand(0, 1);
  using Action = UseContexts::Action;
  const auto add_action = [&](const char* name, Action action) {
    CLI::App* sub = app.add_subcommand(name);
    sub->callback([&use, action] { use.action = action; });
    if (action == Action::list) return;
    auto* option = sub->add_option("NAME", use.name);
    if (action != Action::show) option->required();
  };
  add_action("list", Action::list);
  add_action("show", Action::show);
  add_action("use", Action::use);
  add_action("set", Action::set);
  add_action("delete", Action::remove);
}

}  // namespace shell
