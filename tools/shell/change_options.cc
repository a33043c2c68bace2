#include "tools/shell/change_options.h"

#include <charconv>
#include <utility>
#include <vector>

#include "tools/shell/acl_words.h"
#include "tools/shell/location_option.h"

namespace shell {
namespace {

void add_limit(CLI::App& sub, const char* name, std::optional<QuotaLimit>& limit) {
  sub.add_option_function<std::string>(name, [name, &limit](const std::string& text) {
    if (text == "none") {
      limit.emplace();
      return;
    }
    std::int64_t max = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, max);
    if (read.ec != std::errc() || read.ptr != end || max < 0) {
      throw CLI::ValidationError(name, "must be a number, or none");
    }
    limit = QuotaLimit{max};
  });
}

}  // namespace

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

void add_options(CLI::App& sub, Mirror& command) {
  sub.add_flag("--delete", command.deletes);
  sub.add_flag("-p", command.parents);
  sub.add_flag("--once", command.once);
  sub.add_flag("--dry-run", command.dry_run);
  sub.add_flag("--no-acls", command.no_acls);
  add_location(sub, "FROM", command.from);
  add_location(sub, "TO", command.to);
}

void add_options(CLI::App& sub, AclCommand& command) {
  sub.require_subcommand(1);
  sub.add_subcommand("get")->add_option("PATH", command.path)->required();
  CLI::App* set = sub.add_subcommand("set");
  auto* recursive = set->add_flag("-r", command.recursive);
  set->add_option("-v", command.version)->excludes(recursive);
  set->add_option("PATH", command.path)->required();
  set->add_option_function<std::vector<std::string>>(
         "ACL",
         [&command](const std::vector<std::string>& words) {
           auto acl = acl_of_words(words);
           if (acl.has_error()) throw CLI::ValidationError(acl.error().message);
           command.acl = std::move(*acl);
         })
      ->required();
  set->callback([&command] { command.sets = true; });
}

void add_options(CLI::App& sub, Quota& command) {
  sub.require_subcommand(1);
  sub.add_subcommand("get")->add_option("PATH", command.path)->required();
  CLI::App* set = sub.add_subcommand("set");
  add_limit(*set, "--nodes", command.nodes);
  add_limit(*set, "--bytes", command.bytes);
  set->add_option("PATH", command.path)->required();
  set->callback([&command] {
    if (command.nodes || command.bytes) return;
    throw CLI::ParseError("--nodes or --bytes is required", 1);
  });
}

void add_options(CLI::App& sub, Multi& command) { sub.add_option("FILE", command.file); }

void add_options(CLI::App& sub, Edit& command) { sub.add_option("PATH", command.path)->required(); }

}  // namespace shell
