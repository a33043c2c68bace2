#pragma once

#include <string>
#include <utility>

#include "wire/requests.h"

// Requests, for tests.
namespace znode {

inline wire::CreateRequest create(std::string path, wire::Bytes data = {}) {
  wire::CreateRequest request;
  request.path = std::move(path);
  request.data = std::move(data);
  return request;
}

}  // namespace znode
