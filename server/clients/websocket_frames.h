#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// RFC 6455 after the handshake and without extensions: bytes to messages, and messages to bytes. It
// knows no socket. Only the server uses this framing; the C++ client uses Beast's.
// docs/performance.md has the figures that are the reason.
namespace server {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

// One message or control frame that the other end sent.
struct Incoming {
  enum class Kind : std::uint8_t { text, binary, ping, pong, close, broken };

  Kind kind;
  // For `close`: the reason. Valid until the reader's next call, and only while the fed bytes are
  // valid.
  std::string_view payload = {};
  // For `close` and `broken`: the status to answer with. The rest of the stream must be
  // ignored.
  std::uint16_t status = 0;
};

// Which end of the connection sends the frames. Only clients mask theirs (section 5.1).
enum class Sender : std::uint8_t { client, server };

// Reads the frames that one end sends.
class WebSocketReader {
 public:
  // A message of more than `message_bytes_max` breaks the protocol.
  explicit WebSocketReader(std::size_t message_bytes_max, Sender sender = Sender::client)
      : message_bytes_max_(message_bytes_max), sender_(sender) {}
  WebSocketReader(const WebSocketReader&) = delete;
  WebSocketReader& operator=(const WebSocketReader&) = delete;

  // `bytes` arrived. They are read in place and overwritten, and must stay valid until `next`
  // returns nothing or `keep` is called.
  void feed(std::span<char> bytes);

  // Changes the limit, from the next frame on.
  void limit(std::size_t message_bytes_max) { message_bytes_max_ = message_bytes_max; }

  // The next whole message or control frame. Returns nothing when more bytes are needed; the
  // reader has then copied the beginning of a frame that it still needs.
  std::optional<Incoming> next();

  // Whether a message has begun and not ended: the next frame of data continues it.
  [[nodiscard]] bool is_within_message() const { return in_.has_value(); }
  // The bytes that are kept of an unfinished message or frame, and their memory.
  [[nodiscard]] std::size_t kept_bytes() const { return rest_.size() + pieces_.size(); }
  [[nodiscard]] std::size_t kept_memory() const;
  // The size of the frame that is unfinished, if its head has arrived; otherwise 0.
  [[nodiscard]] std::size_t expected_bytes() const;

  // Copies what was fed and not read yet, to continue later.
  void keep();
  // Forgets what was fed and not read yet.
  void discard();

 private:
  struct Head {
    Opcode opcode = Opcode::continuation;
    bool is_last = false;
    std::size_t head_bytes = 0;  // 0: not all of it has arrived
    std::uint64_t payload_bytes = 0;
    std::uint16_t broken = 0;  // the status, unless 0
  };

  [[nodiscard]] std::size_t mask_bytes() const { return sender_ == Sender::client ? 4 : 0; }
  [[nodiscard]] Head head_of(std::span<const char> bytes) const;
  [[nodiscard]] std::uint16_t fault_of(const Head& head) const;
  [[nodiscard]] std::optional<Incoming> read_payload(const Head& head, std::string_view payload);
  [[nodiscard]] Incoming whole(std::string_view message);

  std::size_t message_bytes_max_;
  // Fed and not read yet: the feeder's bytes, or those of rest_. Null after `keep`.
  std::span<char> input_;
  std::string rest_;          // copied by `keep`
  std::string pieces_;        // of a message in several frames
  std::size_t checked_ = 0;   // how many bytes of pieces_ are known to be UTF-8
  std::optional<Opcode> in_;  // the kind of message that pieces_ belong to
  Sender sender_;
};

// Appends a frame as a server sends it.
void append_websocket_frame(Opcode opcode, std::string_view payload, std::string& out);
// Appends a frame as a client sends it, masked with the four bytes of `mask`.
void append_masked_websocket_frame(Opcode opcode, std::string_view payload, std::string_view mask,
                                   std::string& out);

// The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key.
[[nodiscard]] std::string websocket_accept(std::string_view key);

}  // namespace server
