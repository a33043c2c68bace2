#include "server/process/reload.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/config/text.h"
#include "server/logging/process_log.h"
#include "server/threads/thread.h"

namespace server {
namespace {

constexpr std::string_view log_level_key = "logLevel";

const std::string* value_of(const Settings& settings, const std::string& key) {
  const auto setting = settings.find(key);
  return setting == settings.end() ? nullptr : &setting->second.value;
}

bool differ(const std::string* a, const std::string* b) {
  return (a == nullptr) != (b == nullptr) || (a != nullptr && *a != *b);
}

// A pipe, as of a process substitution in a shell, had its content only once.
Reload::Outcome read_again(const std::string& file, const std::function<Reload::Outcome()>& read) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(file, ignored);
  if (!file.empty() && std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status)) {
    return PrintAndExit{file + " is no regular file, so it can be read only once", 2};
  }
  return read();
}

}  // namespace

ConfigChanges changes(const Configured& in_use, const Configured& read) {
  ConfigChanges found;
  found.log_level = in_use.config.log_level != read.config.log_level;
  std::set<std::string> keys;
  for (const auto& [key, setting] : in_use.settings) keys.insert(key);
  for (const auto& [key, setting] : read.settings) keys.insert(key);
  keys.erase(std::string(log_level_key));
  for (const std::string& key : keys) {
    if (differ(value_of(in_use.settings, key), value_of(read.settings, key))) {
      found.for_restart.push_back(key);
    }
  }
  const bool id_is_set = std::ranges::find(found.for_restart, "myid") != found.for_restart.end();
  if (in_use.config.id != read.config.id && !id_is_set) found.for_restart.emplace_back("myid");
  return found;
}

Reload::Reload(boost::asio::io_context& io, Configured in_use, std::function<Outcome()> read)
    : io_(io), in_use_(std::move(in_use)), read_(std::move(read)) {}

void Reload::begin() {
  if (std::exchange(is_reading_, true)) {
    return log_always("the configuration is being read already; send SIGHUP again later");
  }
  try {
    start_thread("that reads the configuration", [this] {
      Outcome outcome = read_again(in_use_.file, read_);
      boost::asio::post(io_, [this, outcome = std::move(outcome)] { finish(outcome); });
    }).detach();
  } catch (const std::system_error& none) {
    is_reading_ = false;
    spdlog::error("the configuration is not reloaded: {}", none.what());
  }
}

void Reload::finish(const Outcome& outcome) {
  is_reading_ = false;
  if (const auto* read = std::get_if<RunServer>(&outcome)) return use(read->configured);
  spdlog::error("the configuration is not reloaded, and the one in use stays:");
  for (const std::string& line : split(std::get<PrintAndExit>(outcome).text, '\n')) {
    if (!line.empty()) spdlog::error("  {}", line);
  }
}

void Reload::use(const Configured& read) {
  const ConfigChanges found = changes(in_use_, read);
  std::string for_restart;
  for (const std::string& key : found.for_restart) {
    for_restart += (for_restart.empty() ? "" : ", ") + key;
  }
  if (found.log_level) {
    in_use_.config.log_level = read.config.log_level;
    spdlog::set_level(spdlog::level::from_str(read.config.log_level));
    log_always("the configuration is reloaded: logLevel is " + read.config.log_level + " now");
  } else {
    log_always("the configuration is reloaded: " +
               std::string(for_restart.empty() ? "nothing has changed" : "logLevel is as before"));
  }
  if (!for_restart.empty()) {
    spdlog::warn("changed in the configuration, but not in use before a restart: {}", for_restart);
  }
}

}  // namespace server
