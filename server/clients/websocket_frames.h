#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// RFC 6455 as a server speaks it, after the handshake and without extensions: what is in bytes
// that came, and the bytes that leave. Knows no socket.
namespace server {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

// What a client sent.
struct Incoming {
  enum class Kind : std::uint8_t { text, binary, ping, pong, close, broken };

  Kind kind;
  // Valid until the reader is asked for the next, or its bytes are gone.
  std::string_view payload = {};
  // Of `close` and `broken`: the status to answer with. Nothing counts that comes later.
  std::uint16_t status = 0;
};

// Takes apart what one client sends.
class WebSocketReader {
 public:
  // A message longer than that breaks the protocol.
  explicit WebSocketReader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  // The next message, whole, or control frame. Takes its frames off the front of `bytes`, and
  // writes over them. Nothing while the first frame that is left is not complete: it is to be
  // there again the next time, with more behind it.
  std::optional<Incoming> next(std::span<char>& bytes);

 private:
  struct Head {
    Opcode opcode = Opcode::continuation;
    bool is_last = false;
    std::size_t head_bytes = 0;  // 0: not all of it is there
    std::uint64_t payload_bytes = 0;
    std::uint16_t broken = 0;  // the status, unless 0
  };

  [[nodiscard]] Head head_of(std::span<const char> bytes) const;
  [[nodiscard]] std::uint16_t fault_of(const Head& head) const;
  [[nodiscard]] std::optional<Incoming> take(const Head& head, std::string_view payload);
  [[nodiscard]] Incoming whole(std::string_view message);

  std::size_t message_bytes_max_;
  std::string pieces_;        // of a message in several frames
  std::size_t checked_ = 0;   // how many bytes of them are known to be UTF-8
  std::optional<Opcode> in_;  // what kind of message the pieces are
};

void append_websocket_frame(Opcode opcode, std::string_view payload, std::string& out);

// What Sec-WebSocket-Accept answers to Sec-WebSocket-Key.
[[nodiscard]] std::string websocket_accept(std::string_view key);

}  // namespace server
