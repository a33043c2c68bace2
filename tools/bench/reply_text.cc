#include "tools/bench/reply_text.h"

namespace bench {

std::string_view field(std::string_view json, const std::string& name) {
  const std::string key = '"' + name + "\":\"";
  const std::size_t found = json.find(key);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + key.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

bool is_error(std::string_view json) { return json.find("\"error\"") != std::string_view::npos; }
bool is_event(std::string_view json) { return json.find("\"event\"") != std::string_view::npos; }

}  // namespace bench
