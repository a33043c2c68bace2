#include "wire/path.h"

#include <string>

#include "wire/utf8.h"

namespace wire {
namespace {

// Whether ZooKeeper refuses the code point: controls, surrogates, private use and specials.
bool is_refused(char32_t point) {
  return point <= 0x1F || (point >= 0x7F && point <= 0x9F) ||
         (point >= 0xD800 && point <= 0xF8FF) || (point >= 0xFFF0 && point <= 0xFFFF);
}

// These two return null if the path is valid.
const char* invalid_characters_reason(std::string_view path) {
  if (!is_utf8(path)) return "is not UTF-8";
  while (!path.empty()) {
    const std::string_view character = path.substr(0, character_size(path.front()));
    if (is_refused(code_point(character))) {
      return "contains a character that is not allowed in paths";
    }
    path.remove_prefix(character.size());
  }
  return nullptr;
}

const char* invalid_components_reason(std::string_view path) {
  if (path.empty() || path.front() != '/') return "does not begin with /";
  if (path == "/") return nullptr;
  if (path.back() == '/') return "ends with /";

  std::size_t depth = 0;
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view component = rest.substr(0, rest.find('/'));
    if (component.empty()) return "has an empty component";
    if (component == "." || component == "..") return "has a . or .. component";
    if (++depth > path_depth_max) return "has more than 128 components";
    rest.remove_prefix(component.size());
  }
  return nullptr;
}

}  // namespace

Result<void> validate_path(std::string_view path) {
  if (path.size() > path_bytes_max) {
    return Error{ErrorCode::bad_arguments, "a path of " + std::to_string(path.size()) +
                                               " bytes is longer than " +
                                               std::to_string(path_bytes_max)};
  }
  if (const char* reason = invalid_characters_reason(path)) {
    // The message does not contain the path, because the path may be unprintable.
    return Error{ErrorCode::bad_arguments, std::string("the path ") + reason};
  }
  if (const char* reason = invalid_components_reason(path)) {
    return Error{ErrorCode::bad_arguments, "the path \"" + std::string(path) + "\" " + reason};
  }
  return {};
}

}  // namespace wire
