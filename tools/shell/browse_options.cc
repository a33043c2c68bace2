#include "tools/shell/browse_options.h"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "tools/shell/location_option.h"

namespace shell {
namespace {

// An option whose value is parsed by a function that returns nothing for a wrong value.
template <typename T, typename Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, std::optional<T>& to, Parse parse,
                        const std::string& rule) {
  return app.add_option_function<std::string>(name,
                                              [&to, parse, name, rule](const std::string& text) {
                                                to = parse(text);
                                                if (!to) throw CLI::ValidationError(name, rule);
                                              });
}

void add_depth(CLI::App& app, const std::string& names, std::size_t& to) {
  app.add_option(names, to)->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_options(CLI::App& app, Find& find) {
  NodeFilter& filter = find.filter;
  app.add_option_function<std::string>(
      "--name", [&filter](const std::string& pattern) { filter.name.emplace(pattern); });
  app.add_option_function<std::string>("--owner", [&filter](const std::string& owner) {
    filter.ephemeral = owner == "ephemeral";
    filter.owner = filter.ephemeral ? std::nullopt : parse_session(owner);
    if (filter.ephemeral || filter.owner) return;
    throw CLI::ValidationError("--owner", "must be `ephemeral` or a session in hex digits");
  });
  const std::string age = "must be a number with a unit: s, m, h, d or w";
  add_parsed(app, "--older", filter.older, parse_age, age);
  add_parsed(app, "--newer", filter.newer, parse_age, age);
  add_parsed(app, "--size", filter.size, parse_size_test,
             "must be N, +N or -N bytes, or with a unit: k or M");
  app.add_option("--contains", filter.contains);
  add_depth(app, "-d,--depth", find.depth_max);
  app.add_flag("-0,--null", find.null_separated);
  app.add_option("PATH", find.path);
}

void add_options(CLI::App& app, Grep& grep) {
  struct Given {
    std::string pattern;
    LinePattern::Options options;
  };
  const auto given = std::make_shared<Given>();
  app.add_flag("-E", given->options.is_expression);
  app.add_flag("-i", given->options.ignores_case);
  auto* names = app.add_flag("-l", grep.names_only);
  app.add_flag("-n", grep.line_numbers)->excludes(names);
  app.add_flag("-0,--null", grep.null_separated)->needs(names);
  app.add_option("PATTERN", given->pattern)->required();
  app.add_option("PATH", grep.path);
  app.callback([&grep, given] {
    try {
      grep.pattern = LinePattern(given->pattern, given->options);
    } catch (const std::invalid_argument& error) {
      throw CLI::ValidationError("PATTERN", error.what());
    }
  });
}

void add_options(CLI::App& app, Du& du) {
  add_depth(app, "-d,--depth", du.depth);
  app.add_option("-n", du.rows)->check(CLI::NonNegativeNumber);
  app.add_option("PATH", du.path);
}

void add_options(CLI::App& app, Diff& diff) {
  add_location(app, "A", diff.a);
  add_location(app, "B", diff.b);
}

void add_options(CLI::App& app, Top& top) {
  app.add_option("-n", top.rows)->check(CLI::PositiveNumber);
  app.add_option("--count", top.count)->check(CLI::PositiveNumber);
  app.add_option_function<double>("--interval",
                                  [&top](double seconds) {
                                    top.interval = std::chrono::ceil<std::chrono::milliseconds>(
                                        std::chrono::duration<double>(seconds));
                                  })
      ->check(CLI::Range(0.001, 86'400.0));
  add_depth(app, "-d,--depth", top.depth);
  app.add_flag("--each", top.each);
  app.add_option("PATH", top.path);
}

}  // namespace shell
