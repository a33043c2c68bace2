#include "znode/path.h"

namespace znode {

wire::Result<void> validate(std::string_view path) { return wire::validate_path(path); }

bool is_reserved(std::string_view path) {
  return path == reserved_path || is_below(path, reserved_path);
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string child_path(std::string_view parent, std::string_view name) {
  std::string path(parent);
  if (parent != "/") path += '/';
  return path += name;
}

bool is_below(std::string_view path, std::string_view ancestor) {
  if (ancestor == "/") return path != "/";
  return path.size() > ancestor.size() && path.starts_with(ancestor) &&
         path[ancestor.size()] == '/';
}

}  // namespace znode
