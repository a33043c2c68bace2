#include "server/clients/websocket_frames.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/sha.h>

#include "wire/base64.h"
#include "wire/utf8.h"

namespace server {
namespace {

constexpr std::size_t mask_size = 4;
constexpr std::size_t control_bytes_max = 125;

// Statuses of section 7.4.1.
constexpr std::uint16_t normal = 1000;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t invalid_payload = 1007;
constexpr std::uint16_t too_big = 1009;

bool is_control(Opcode opcode) { return opcode >= Opcode::close; }

bool is_known(Opcode opcode) {
  return opcode <= Opcode::binary || (opcode >= Opcode::close && opcode <= Opcode::pong);
}

bool is_sent_in_a_close(std::uint16_t status) {
  if (status >= 3000) return status < 5000;
  return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014);
}

std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// Masks or unmasks: the two are the same operation (section 5.3).
void apply_mask(std::span<char> payload, std::string_view mask) {
  std::uint64_t wide = 0;
  std::memcpy(&wide, mask.data(), mask_size);
  std::memcpy(reinterpret_cast<char*>(&wide) + mask_size, mask.data(), mask_size);
  std::size_t at = 0;
  for (; payload.size() - at >= sizeof wide; at += sizeof wide) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, payload.data() + at, sizeof eight);
    eight ^= wide;
    std::memcpy(payload.data() + at, &eight, sizeof eight);
  }
  for (std::size_t i = 0; at < payload.size(); ++at, ++i) payload[at] ^= mask[i % mask_size];
}

// `text` without an incomplete UTF-8 character at its end: the rest of it is still to come.
std::string_view whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t wanted = byte < 0xc0 || byte > 0xf4 ? 1
                               : byte < 0xe0              ? 2
                               : byte < 0xf0              ? 3
                                                          : 4;
    return wanted > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

Incoming broken(std::uint16_t status) { return {Incoming::Kind::broken, {}, status}; }

Incoming closing(std::string_view payload) {
  if (payload.empty()) return {Incoming::Kind::close, {}, normal};
  if (payload.size() < 2) return broken(protocol_error);
  const auto status = static_cast<std::uint16_t>(number(payload.substr(0, 2)));
  if (!is_sent_in_a_close(status)) return broken(protocol_error);
  if (!wire::is_utf8(payload.substr(2))) return broken(protocol_error);
  return {Incoming::Kind::close, payload.substr(2), status};
}

// The mask bit of a frame's second byte.
constexpr int unmasked = 0;
constexpr int masked = 0x80;

void append_head(Opcode opcode, std::size_t payload_bytes, int mask_bit, std::string& out) {
  out += static_cast<char>(0x80 | static_cast<int>(opcode));
  const auto append_length = [&](int marker, int bytes) {
    out += static_cast<char>(mask_bit | marker);
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(payload_bytes >> (8 * i));
  };
  if (payload_bytes <= control_bytes_max) {
    out += static_cast<char>(mask_bit | static_cast<int>(payload_bytes));
  } else if (payload_bytes < 65'536) {
    append_length(126, 2);
  } else {
    append_length(127, 8);
  }
}

// Makes space for `more` bytes, and for another quarter of the size. So many small appends cost
// little. A string alone would double its memory, even in `reserve`.
void make_space(std::string& memory, std::size_t more) {
  const std::size_t size = memory.size() + more;
  if (size <= memory.capacity()) return;
  std::string larger;
  larger.reserve(size + size / 4);
  larger += memory;
  memory.swap(larger);
}

}  // namespace

void WebSocketReader::feed(std::span<char> bytes) {
  if (rest_.empty()) {
    input_ = bytes;
  } else {
    make_space(rest_, bytes.size());
    rest_.append(bytes.data(), bytes.size());
    input_ = rest_;
  }
}

std::optional<Incoming> WebSocketReader::next() {
  if (!in_ && !pieces_.empty()) std::string().swap(pieces_);  // returned by the last call
  if (input_.data() == nullptr) input_ = rest_;               // after `keep`
  for (;;) {
    const Head head = head_of(input_);
    if (head.broken != 0) return broken(head.broken);
    if (head.head_bytes == 0 || input_.size() - head.head_bytes < head.payload_bytes) break;

    const std::span<char> payload = input_.subspan(head.head_bytes, head.payload_bytes);
    if (mask_bytes() != 0) apply_mask(payload, {payload.data() - mask_size, mask_size});
    input_ = input_.subspan(head.head_bytes + head.payload_bytes);
    if (auto complete = read_payload(head, {payload.data(), payload.size()})) return complete;
  }
  keep();
  return std::nullopt;
}

// An assignment may keep the string's memory. A swap with an empty string frees it.
void WebSocketReader::keep() {
  if (input_.data() == nullptr) return;
  if (input_.empty()) {
    std::string().swap(rest_);
  } else if (rest_.empty()) {
    rest_.assign(input_.data(), input_.size());
  } else {
    rest_.erase(0, rest_.size() - input_.size());
  }
  input_ = {};
}

void WebSocketReader::discard() {
  input_ = {};
  std::string().swap(rest_);
  std::string().swap(pieces_);
}

std::size_t WebSocketReader::kept_memory() const {
  const auto memory_of = [](const std::string& text) { return text.empty() ? 0 : text.capacity(); };
  return memory_of(rest_) + memory_of(pieces_);
}

std::size_t WebSocketReader::expected_bytes() const {
  const Head head = head_of(rest_);
  return head.broken != 0 || head.head_bytes == 0 ? 0 : head.head_bytes + head.payload_bytes;
}

// Section 5.2. Rejects an invalid frame as soon as the bytes that prove it have arrived.
WebSocketReader::Head WebSocketReader::head_of(std::span<const char> bytes) const {
  Head head;
  if (bytes.size() < 2) return head;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  head.is_last = (first & 0x80) != 0;
  head.opcode = static_cast<Opcode>(first & 0x0f);
  head.payload_bytes = second & 0x7f;
  const bool is_masked = (second & 0x80) != 0;
  if ((first & 0x70) != 0 || is_masked != (mask_bytes() != 0)) head.broken = protocol_error;
  if (head.broken == 0) head.broken = fault_of(head);
  if (head.broken != 0) return head;

  const std::size_t length_bytes = head.payload_bytes < 126 ? 0 : head.payload_bytes == 126 ? 2 : 8;
  if (bytes.size() < 2 + length_bytes + mask_bytes()) return head;
  if (length_bytes != 0) {
    head.payload_bytes = number({bytes.data() + 2, length_bytes});
    if (head.payload_bytes < (length_bytes == 2 ? 126U : 65'536U)) head.broken = protocol_error;
    if (head.payload_bytes > message_bytes_max_) head.broken = too_big;
  }
  if (!is_control(head.opcode) && head.payload_bytes + pieces_.size() > message_bytes_max_) {
    head.broken = too_big;
  }
  head.head_bytes = 2 + length_bytes + mask_bytes();
  return head;
}

std::uint16_t WebSocketReader::fault_of(const Head& head) const {
  if (!is_known(head.opcode)) return protocol_error;
  if (is_control(head.opcode)) {
    return head.is_last && head.payload_bytes <= control_bytes_max ? 0 : protocol_error;
  }
  return (head.opcode == Opcode::continuation) == in_.has_value() ? 0 : protocol_error;
}

std::optional<Incoming> WebSocketReader::read_payload(const Head& head, std::string_view payload) {
  if (head.opcode == Opcode::ping) return Incoming{Incoming::Kind::ping, payload};
  if (head.opcode == Opcode::pong) return Incoming{Incoming::Kind::pong, payload};
  if (head.opcode == Opcode::close) return closing(payload);

  if (head.opcode != Opcode::continuation) in_ = head.opcode;
  if (head.is_last && pieces_.empty()) return whole(payload);
  make_space(pieces_, payload.size());
  pieces_ += payload;
  if (head.is_last) return whole(pieces_);
  if (in_ == Opcode::text) {
    const std::string_view fresh = whole_characters(std::string_view(pieces_).substr(checked_));
    if (!wire::is_utf8(fresh)) return broken(invalid_payload);
    checked_ += fresh.size();
  }
  return std::nullopt;
}

Incoming WebSocketReader::whole(std::string_view message) {
  const Opcode opcode = *std::exchange(in_, std::nullopt);
  const std::size_t checked = std::exchange(checked_, 0);
  if (opcode == Opcode::binary) return {Incoming::Kind::binary, message};
  if (!wire::is_utf8(message.substr(checked))) return broken(invalid_payload);
  return {Incoming::Kind::text, message};
}

void append_websocket_frame(Opcode opcode, std::string_view payload, std::string& out) {
  append_head(opcode, payload.size(), unmasked, out);
  out += payload;
}

void append_masked_websocket_frame(Opcode opcode, std::string_view payload, std::string_view mask,
                                   std::string& out) {
  append_head(opcode, payload.size(), masked, out);
  out += mask;
  out += payload;
  apply_mask(std::span<char>(out).last(payload.size()), mask);
}

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest));
  std::string answer;
  wire::append_base64({digest, sizeof digest}, answer);
  return answer;
}

}  // namespace server
