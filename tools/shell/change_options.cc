#include "tools/shell/change_options.h"

namespace shell {

void add_options(CLI::App& sub, Export& command) {
  sub.add_flag("--no-acls", command.no_acls);
  sub.add_flag("--ephemerals", command.ephemerals);
  sub.add_option("PATH", command.path)->required();
  sub.add_option("FILE", command.file);
}

void add_options(CLI::App& sub, Import& command) {
  auto* overwrite =
      sub.add_flag_callback("--overwrite", [&command] { command.existing = Existing::overwrite; });
  sub.add_flag_callback("--skip-existing", [&command] { command.existing = Existing::skip; })
      ->excludes(overwrite);
  sub.add_flag("-p", command.parents);
  sub.add_flag("--dry-run", command.dry_run);
  sub.add_flag("--partial", command.partial);
  sub.add_flag("--no-acls", command.no_acls);
  sub.add_option("FILE", command.file)->required();
  sub.add_option("PATH", command.path);
}

void add_options(CLI::App& sub, Copy& command) {
  sub.add_flag("-r", command.recursive);
  sub.add_flag("-p", command.parents);
  sub.add_option("FROM", command.from)->required();
  sub.add_option("TO", command.to)->required();
}

void add_options(CLI::App& sub, Move& command) {
  sub.add_flag("-p", command.parents);
  sub.add_flag("--in-parts", command.in_parts);
  sub.add_option("FROM", command.from)->required();
  sub.add_option("TO", command.to)->required();
}

}  // namespace shell
