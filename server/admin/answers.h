#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "server/admin/status_source.h"

namespace server {

// What a plain HTTP request is answered with.
struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow = {};  // the Allow header of a 405
};

[[nodiscard]] Answer json_answer(unsigned status, const nlohmann::ordered_json& json);
// {"error": ..., "message": ...}
[[nodiscard]] Answer error_answer(unsigned status, std::string_view error,
                                  std::string_view message);

// Everything but /v1: `target` as in the request line.
[[nodiscard]] Answer answer(std::string_view method, std::string_view target,
                            const StatusSource& source);

}  // namespace server
