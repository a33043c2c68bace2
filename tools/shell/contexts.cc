#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/context_file.h"
#include "tools/shell/print.h"
#include "tools/shell/runner.h"

// The command for contexts.
namespace shell {
namespace {

// The values of a setting for people, without secrets.
std::vector<std::string> shown_values(const SettingTexts& texts, std::string_view option) {
  std::vector<std::string> values;
  const auto found = texts.find(option);
  if (found == texts.end()) return values;
  for (const SettingText& each : found->second) {
    values.push_back(option == "--auth" ? without_secret(each.value) : each.value);
  }
  return values;
}

std::string shown_setting(const SettingTexts& texts, std::string_view option) {
  std::string text;
  for (const std::string& each : shown_values(texts, option)) {
    text += (text.empty() ? "" : ", ") + each;
  }
  return text;
}

nlohmann::json context_json(const std::string& name, bool is_current, const SettingTexts& texts) {
  nlohmann::json object{{"name", name}, {"current", is_current}};
  for (const GlobalOption& option : global_options()) {
    const std::vector<std::string> values = shown_values(texts, option.name);
    if (option.key.empty() || values.empty()) continue;
    nlohmann::json& field = object[std::string(option.key)];
    field = values.front();
    if (option.kind == OptionKind::list) field = values;
  }
  return object;
}

}  // namespace

void Runner::list_contexts(const ContextFile& file) {
  std::vector<Row> rows{{"", "NAME", "SERVERS", "IDENTITIES"}};
  nlohmann::json objects = nlohmann::json::array();
  for (const std::string& name : file.names()) {
    const SettingTexts texts = file.settings_of(name);
    const bool is_current = name == file.current();
    rows.push_back({is_current ? "*" : "", name, shown_setting(texts, "--server"),
                    shown_setting(texts, "--auth")});
    objects.push_back(context_json(name, is_current, texts));
  }
  if (rows.size() == 1)
    remark("no contexts; for example: zab context set prod --server ws://a:2180");
  if (rows.size() > 1 || json_) print_rows(rows, {false, false, false, false}, objects);
}

void Runner::show_context(const ContextFile& file, const std::string& asked) {
  const std::string name = asked.empty() ? file.current().value_or("") : asked;
  if (name.empty()) throw WrongSetting("no context is the current one; `zab context use NAME`");
  const SettingTexts texts = file.settings_of(name);
  if (json_) {
    out_ << json_line(context_json(name, name == file.current(), texts));
    return;
  }
  std::vector<Row> rows{{"SETTING", "VALUE"}, {"name", name}};
  for (const GlobalOption& option : global_options()) {
    std::string text = shown_setting(texts, option.name);
    if (!option.key.empty() && !text.empty()) {
      rows.push_back({std::string(option.key), std::move(text)});
    }
  }
  print_rows(rows, {false, false}, {});
}

void Runner::on(const UseContexts& contexts) try {
  using Action = UseContexts::Action;
  ContextFile file(context_file_path());
  switch (contexts.action) {
    case Action::list: return list_contexts(file);
    case Action::show: return show_context(file, contexts.name);
    case Action::use: file.use(contexts.name); break;
    case Action::remove: file.remove(contexts.name); break;
    case Action::set: {
      SettingTexts texts;
      for (const auto& [option, values] : contexts.settings) {
        for (const std::string& value : values) texts[option].push_back({value, option});
      }
      file.set(contexts.name, texts);
      check_context(file, contexts.name);
      break;
    }
  }
  file.save();
} catch (const WrongSetting& wrong) {
  fail(exit_usage, wrong.what());
} catch (const std::invalid_argument& wrong) {  // of servers
  fail(exit_usage, wrong.what());
}

// Throws if a setting is not valid, so that it is not saved.
void Runner::check_context(const ContextFile& file, const std::string& name) {
  CommandLine line;
  apply_settings(file.settings_of(name), line);
  (void)zabkeeper::servers(line.servers);
}

}  // namespace shell
