#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "wire/frames.h"
#include "wire/replies.h"
#include "wire/requests.h"

// The client protocol as CBOR (RFC 8949): the objects of json.h, with znode data as byte strings
// under `data`. The same rules apply, so the same mistakes have the same errors.
namespace wire::cbor {

// For servers: parses one frame. Lengths may be indefinite; tags are refused.
[[nodiscard]] ParsedFrame parse_requests(std::string_view bytes);

// For servers: appends a message to `out`, as one map.
void write(const ServerMessage& message, std::string& out);

// For clients: appends a request to `out`, as one map.
void write(const ClientRequest& request, std::string& out);

// Begins an array: the next `count` items that are appended are its elements.
void begin_array(std::size_t count, std::string& out);

}  // namespace wire::cbor
