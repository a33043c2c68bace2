#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace server {

// The answer to a plain HTTP request.
struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow = {};  // the Allow header of a 405
};

// A body that is not UTF-8, such as a path's name, gets replacement characters.
[[nodiscard]] Answer json_answer(unsigned status, const nlohmann::ordered_json& json);
// {"error": ..., "message": ...}
[[nodiscard]] Answer error_answer(unsigned status, std::string_view error,
                                  std::string_view message);

}  // namespace server
