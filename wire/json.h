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

// The client protocol as JSON text, for both of its ends. docs/protocol.md is the reference.
namespace wire::json {

// A server reads the text of one frame: a request object, or an array of them. Unknown, duplicate,
// missing and wrongly typed fields are BadArguments with the field's name in the message.
[[nodiscard]] ParsedFrame parse_requests(std::string_view text);

// The length of a frame by what it says: a character that is written in six bytes, as `\u00e9`,
// counts as one. (A guess that is never above the length; for limits.)
[[nodiscard]] std::size_t bytes_without_escapes(std::string_view text);

// A server appends what it says to `out`, as one JSON object.
void write(const ServerMessage& message, std::string& out);

// A client appends a request to `out`, as one JSON object.
void write(const ClientRequest& request, std::string& out);

// A client reads the text of one frame: what a server said, in order. The kind of a reply's body is
// known only from the request that it answers: `request_of` gives that request, or null where no
// request with such an id is outstanding (the frame is then refused).
using RequestOf = std::function<const Request*(const RequestId&)>;
[[nodiscard]] Result<std::vector<ServerMessage>> parse_server_messages(std::string_view text,
                                                                       const RequestOf& request_of);

}  // namespace wire::json
