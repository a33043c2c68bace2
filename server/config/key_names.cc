#include "server/config/key_names.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "server/config/config_keys.h"
#include "server/config/text.h"
#include "server/config/zookeeper_keys.h"

namespace server {
namespace {

// How many characters must be changed, added or removed to make `b` of `a`. Ignores case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_key(std::string_view name) {
  std::string_view nearest;
  std::size_t distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  const auto consider = [&](std::string_view key) {
    const std::size_t d = edit_distance(name, key);
    if (d < distance) {
      distance = d;
      nearest = key;
    }
  };
  for (const Key& key : config_keys()) consider(key.name);
  for (const ZooKeeperKey& key : zookeeper_keys()) {
    if (!key.name.ends_with('*')) consider(key.name);
  }
  return std::string(nearest);
}

std::string environment_name(std::string_view key) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string name = "ZABKEEPER_";
  char before = '.';
  for (const char c : key) {
    if (is_capital(c) && !is_capital(before) && before != '.') name += '_';
    if (c == '.' || c == '-') {
      name += '_';
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    before = c;
  }
  return name;
}

}  // namespace server
