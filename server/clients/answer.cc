#include "server/clients/answer.h"

#include <nlohmann/json.hpp>

namespace server {

using Json = nlohmann::ordered_json;

Answer json_answer(unsigned status, const Json& json) {
  return {status, "application/json",
          json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Answer error_answer(unsigned status, std::string_view error, std::string_view message) {
  return json_answer(status, {{"error", error}, {"message", message}});
}

}  // namespace server
