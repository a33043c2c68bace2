#include "tools/shell/context_file.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "tools/shell/nearest.h"
#include "tools/shell/replacement.h"

namespace shell {
namespace {

constexpr const char* contexts_key = "contexts";
constexpr const char* current_key = "current";

std::string text_of(const toml::node& node, const std::string& where) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) {
    std::ostringstream text;
    text << *number;
    return text.str();
  }
  if (const auto flag = node.value_exact<bool>()) return *flag ? "1" : "0";
  throw WrongSetting(where + ": must be a text, a number or a list of texts");
}

std::vector<std::string> texts_of(const toml::node& node, const std::string& where) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return {text_of(node, where)};
  std::vector<std::string> texts;
  for (const toml::node& each : *list) texts.push_back(text_of(each, where));
  return texts;
}

const GlobalOption* option_of_key(std::string_view key) {
  const auto found = std::ranges::find(global_options(), key, &GlobalOption::key);
  return found == global_options().end() ? nullptr : &*found;
}

std::string known_keys() {
  std::string keys;
  for (const GlobalOption& option : global_options()) {
    if (!option.key.empty()) keys += (keys.empty() ? "" : ", ") + std::string(option.key);
  }
  return keys;
}

void check_name(const std::string& name) {
  const bool is_good = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
  if (!is_good) {
    throw WrongSetting("a context's name has letters, digits, '.', '_' and '-': " + name);
  }
}

bool holds_secrets(const toml::table& table) {
  const toml::table* contexts = table[contexts_key].as_table();
  if (contexts == nullptr) return false;
  return std::ranges::any_of(*contexts, [](const auto& each) {
    const toml::table* context = each.second.as_table();
    return context != nullptr && context->contains("auth");
  });
}

// Others must not write it either: they could send the identities to a server of their own.
bool others_may_read(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 &&
         (status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0;
}

// Creates the file, or removes the rights of others, before a secret is written into it.
void make_private(const std::string& path) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
  const bool is_done = descriptor >= 0 && ::fchmod(descriptor, 0600) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!is_done) throw std::system_error(error, std::generic_category(), path);
}

}  // namespace

std::string context_file_path() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  // As the XDG Base Directory Specification says, a relative path is ignored.
  if (config != nullptr && *config == '/') return std::string(config) + "/zabkeeper/config.toml";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::string(home) + "/.config/zabkeeper/config.toml";
}

ContextFile::ContextFile(std::string path) : path_(std::move(path)) {
  std::optional<std::string> content;
  try {
    if (!path_.empty()) content = content_of(path_);
    if (content) table_ = toml::parse(*content, path_);
  } catch (const toml::parse_error& error) {
    throw WrongSetting(path_ + ", line " + std::to_string(error.source().begin.line) + ": " +
                       std::string(error.description()));
  } catch (const std::system_error& error) {
    // The path may go through a directory that this user may not read, or through a file.
    const bool is_out_of_reach =
        error.code() == std::errc::not_a_directory ||
        (error.code() == std::errc::permission_denied && ::access(path_.c_str(), F_OK) != 0);
    if (!is_out_of_reach) throw WrongSetting(error.what());
  }
  if (holds_secrets(table_) && others_may_read(path_)) {
    throw WrongSetting(
        path_ + " holds identities (auth), and others may read or write it: chmod 600 " + path_);
  }
}

std::optional<std::string> ContextFile::current() const {
  return table_[current_key].value<std::string>();
}

std::vector<std::string> ContextFile::names() const {
  std::vector<std::string> names;
  if (const toml::table* contexts = table_[contexts_key].as_table()) {
    for (const auto& [name, context] : *contexts) names.emplace_back(name.str());
  }
  return names;
}

const toml::table* ContextFile::find(const std::string& name) const {
  return table_[contexts_key][name].as_table();
}

void ContextFile::require(const std::string& name) const {
  if (find(name) != nullptr) return;
  throw WrongSetting("no context " + name + " in " + path_ + did_you_mean(name, names()));
}

SettingTexts ContextFile::settings_of(const std::string& name) const {
  require(name);
  SettingTexts texts;
  for (const auto& [key, node] : *find(name)) {
    const std::string where = std::string(key.str()) + " of the context " + name;
    const GlobalOption* option = option_of_key(key.str());
    if (option == nullptr) {
      throw WrongSetting(where + " in " + path_ + ": not known; there are " + known_keys());
    }
    std::vector<std::string> values = texts_of(node, where);
    if (option->kind != OptionKind::list && values.size() > 1) {
      for (std::size_t i = 1; i < values.size(); ++i) values[0] += ',' + values[i];
      values.resize(1);
    }
    for (std::string& value : values) texts[option->name].push_back({std::move(value), where});
  }
  return texts;
}

void ContextFile::use(const std::string& name) {
  require(name);
  table_.insert_or_assign(current_key, name);
}

void ContextFile::set(const std::string& name, const SettingTexts& texts) {
  check_name(name);
  if (!table_.contains(contexts_key)) table_.insert(contexts_key, toml::table{});
  toml::table* contexts = table_[contexts_key].as_table();
  if (contexts == nullptr) throw WrongSetting(path_ + ": contexts must be a table");
  if (!contexts->contains(name)) contexts->insert(name, toml::table{});
  toml::table* context = (*contexts)[name].as_table();
  if (context == nullptr) throw WrongSetting(path_ + ": contexts." + name + " must be a table");
  for (const auto& [option, values] : texts) {
    const auto row = std::ranges::find(global_options(), option, &GlobalOption::name);
    if (row == global_options().end() || row->key.empty()) continue;
    if (values.front().value.empty()) {
      context->erase(row->key);
    } else if (row->kind == OptionKind::list) {
      toml::array list;
      for (const SettingText& each : values) list.push_back(each.value);
      context->insert_or_assign(row->key, std::move(list));
    } else {
      context->insert_or_assign(row->key, values.front().value);
    }
  }
}

void ContextFile::remove(const std::string& name) {
  require(name);
  table_[contexts_key].as_table()->erase(name);
  if (current() == name) table_.erase(current_key);
}

void ContextFile::save() const {
  if (path_.empty()) throw WrongSetting("no place for contexts: set HOME or XDG_CONFIG_HOME");
  std::ostringstream text;
  text << table_ << '\n';
  try {
    make_private(path_);
    Replacement(path_, text.str()).replace();
  } catch (const std::system_error& error) {
    throw WrongSetting(error.what());
  }
}

SettingTexts context_settings(const std::optional<std::string>& name) {
  const ContextFile file(context_file_path());
  const std::optional<std::string> wanted = name ? name : file.current();
  return wanted ? file.settings_of(*wanted) : SettingTexts();
}

std::string without_secret(const std::string& identity) {
  const std::size_t scheme = identity.find(':');
  // The whole token of another scheme may be a secret.
  const std::size_t end = identity.starts_with("digest:") ? identity.find(':', scheme + 1) : scheme;
  return (end == std::string::npos ? std::string() : identity.substr(0, end + 1)) + "***";
}

}  // namespace shell
