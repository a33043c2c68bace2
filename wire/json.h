#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frames.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

// The client protocol as JSON text, for clients and servers. docs/protocol.md is the reference.
namespace wire::json {

// For servers: parses the text of one frame, a request object or an array of them. Unknown,
// duplicate, missing and wrongly typed fields are BadArguments, with the field's name in the
// message.
[[nodiscard]] ParsedFrame parse_requests(std::string_view text);

// The length of a frame, but a character that is escaped in six bytes, as `\u00e9`, counts as one.
// An estimate for limits, never above the length.
[[nodiscard]] std::size_t bytes_without_escapes(std::string_view text);

// For servers: appends a message to `out`, as one JSON object.
void write(const ServerMessage& message, std::string& out);

// For clients: appends a request to `out`, as one JSON object.
void write(const ClientRequest& request, std::string& out);

// For clients: parses the text of one frame into a server's messages, in order. The request tells
// the type of a reply's body: `request_of` returns the request with an id, or null if no such
// request is outstanding. MarshallingError if any message is malformed or not expected.
using RequestOf = std::function<const Request*(const RequestId&)>;
[[nodiscard]] Result<std::vector<ServerMessage>> parse_server_messages(std::string_view text,
                                                                       const RequestOf& request_of);

}  // namespace wire::json
