#pragma once

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "client-lib/error.h"
#include "wire/records.h"

// Data of nodes as JSON. A type of the user's is converted by its to_json and from_json, as
// nlohmann::json finds them.
//
//   client.set("/app", zabkeeper::to_data(settings));
//   const auto settings = zabkeeper::from_data<Settings>(client.get("/app")->data);
namespace zabkeeper {

// Throws what the conversion throws, and nlohmann::json::type_error for text that is not UTF-8.
template <typename T>
[[nodiscard]] wire::Bytes to_data(const T& value) {
  return nlohmann::json(value).dump();
}

// MarshallingError if the data are not JSON, or not that of a T.
template <typename T>
[[nodiscard]] Result<T> from_data(const wire::Bytes& data) try {
  return nlohmann::json::parse(data).get<T>();
} catch (const nlohmann::json::exception& error) {
  return Error{{ErrorCode::marshalling_error, std::string("the data: ") + error.what()}};
}

}  // namespace zabkeeper
