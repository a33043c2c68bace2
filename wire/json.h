#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

// The client protocol as JSON text, for both of its ends. docs/protocol.md is the reference.
namespace wire::json {

inline constexpr std::size_t nesting_max = 32;
// Requests in a frame, operations in a multi: so many tiny ones would cost far more memory than
// their text. Servers allow fewer.
inline constexpr std::size_t frame_requests_max = 16'384;
inline constexpr std::size_t id_bytes_max = 256;

// Why one request could not be read. `id` is the request's, where one could be made out.
struct BadRequest {
  RequestId id;
  Error error;
};

// One request of a frame, or why it is none. A malformed element of an array spoils that element
// only.
using ParsedRequest = boost::system::result<ClientRequest, BadRequest>;

// What a frame holds. `broken` is set if the frame is not JSON at all (or nests too deeply): then
// `requests` has one entry that says so, and the connection should close with WebSocket status 1007
// or 1002.
struct ParsedFrame {
  enum class Fault { none, not_utf8, not_json, too_deep };

  std::vector<ParsedRequest> requests;
  Fault fault = Fault::none;
};

// A server reads the text of one frame: a request object, or an array of them. Unknown, duplicate,
// missing and wrongly typed fields are BadArguments with the field's name in the message.
[[nodiscard]] ParsedFrame parse_requests(std::string_view text);

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
