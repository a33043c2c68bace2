#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "wire/frames.h"
#include "wire/replies.h"
#include "wire/requests.h"

// The client protocol as CBOR (RFC 8949): the objects of json.h, with znode data as byte strings
// under `data`. Read by the same rules, so that the same mistakes are told in the same words.
namespace wire::cbor {

// A server reads one frame. Lengths may be indefinite; tags are refused.
[[nodiscard]] ParsedFrame parse_requests(std::string_view bytes);

// A server appends what it says to `out`, as one map.
void write(const ServerMessage& message, std::string& out);

// A client appends a request to `out`, as one map.
void write(const ClientRequest& request, std::string& out);

// Opens an array of `count` elements: what is appended next.
void begin_array(std::size_t count, std::string& out);

}  // namespace wire::cbor
