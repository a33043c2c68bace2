#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/clients/websocket_frames.h"
#include "wire/cbor.h"
#include "wire/json.h"

// Frames between a client and a server, for tests: valid and invalid frames that a client sends,
// and frames that it receives.
namespace client_frames {

using server::Opcode;

// A valid request.
inline constexpr auto a_request = R"({"id":1,"op":"get","path":"/"})";

enum class Mask { yes, no };
enum class Last { yes, no };  // of the frames of one message

inline std::string frame(Opcode opcode, std::string_view payload, Last last = Last::yes,
                         Mask mask = Mask::yes) {
  std::string out;
  if (mask == Mask::yes) {
    server::append_masked_websocket_frame(opcode, payload, "\x37\xfa\x21\x3d", out);
  } else {
    server::append_websocket_frame(opcode, payload, out);
  }
  if (last == Last::no) out[0] = static_cast<char>(out[0] & 0x7f);
  return out;
}
inline std::string text(std::string_view payload) { return frame(Opcode::text, payload); }
// `status` as two bytes, such as "\x03\xe8".
inline std::string close(std::string_view status) { return frame(Opcode::close, status); }

// A message of the server that is known by its reason, and its text in both formats.
inline wire::ServerMessage message(const std::string& reason) { return wire::GoAway{reason}; }
inline std::string json(const std::string& reason) {
  std::string out;
  wire::json::write(message(reason), out);
  return out;
}
inline std::string cbor(const std::string& reason) {
  std::string out;
  wire::cbor::write(message(reason), out);
  return out;
}

inline std::string with_reserved_bit(std::string frame) {
  frame[0] = static_cast<char>(frame[0] | 0x40);
  return frame;
}

// A frame that came from the server. `status` is a close frame's.
struct Frame {
  Opcode opcode;
  std::string payload;
  std::uint16_t status = 0;

  bool operator==(const Frame&) const = default;
};

inline std::optional<Frame> to_frame(const server::Incoming& incoming) {
  using Kind = server::Incoming::Kind;
  const std::string payload(incoming.payload);
  switch (incoming.kind) {
    case Kind::text: return Frame{Opcode::text, payload};
    case Kind::binary: return Frame{Opcode::binary, payload};
    case Kind::ping: return Frame{Opcode::ping, payload};
    case Kind::pong: return Frame{Opcode::pong, payload};
    case Kind::close: return Frame{Opcode::close, payload, incoming.status};
    case Kind::broken: return std::nullopt;
  }
  return std::nullopt;
}

// Every kind of frame that breaks RFC 6455 or a limit, and the status of the close that answers it.
// Messages of at most 3 * 4096 bytes are allowed.
struct BrokenFrame {
  const char* what;
  std::string bytes;
  std::uint16_t status;
};
inline std::vector<BrokenFrame> broken_frames() {
  return {
      {"binary on the JSON subprotocol", frame(Opcode::binary, "x"), 1003},
      {"too large, with any escapes", text(std::string(13'000, 'x')), 1009},
      {"too large in pieces",
       frame(Opcode::text, std::string(8000, 'x'), Last::no) +
           frame(Opcode::continuation, std::string(8000, 'x')),
       1009},
      {"a huge length", std::string("\x81\xff\x00\x00\x00\xff\xff\xff\xff\xff", 10) + "mask", 1009},
      {"not UTF-8", text("\"\xff\""), 1007},
      {"a surrogate", text("\"\xed\xa0\x80\""), 1007},
      {"unmasked", frame(Opcode::text, "{}", Last::yes, Mask::no), 1002},
      {"a reserved bit", with_reserved_bit(text("{}")), 1002},
      {"an unknown opcode", frame(static_cast<Opcode>(5), "{}"), 1002},
      {"a continuation of nothing", frame(Opcode::continuation, "{}"), 1002},
      {"a text within a text", frame(Opcode::text, "{", Last::no) + text("}"), 1002},
      {"a ping in pieces", frame(Opcode::ping, "", Last::no), 1002},
      {"a large ping", frame(Opcode::ping, std::string(126, 'x')), 1002},
      {"a close of one byte", close("x"), 1002},
      {"a reserved close code", close("\x03\xed"), 1002},
  };
}

}  // namespace client_frames
