#include "server/clients/websocket_frames.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace {

using server::Incoming;
using Kind = server::Incoming::Kind;

enum class Last { yes, no };

// As a client sends it: masked.
std::string frame(int opcode, std::string_view payload, Last last = Last::yes) {
  std::string plain;
  server::append_websocket_frame(static_cast<server::Opcode>(opcode), payload, plain);
  const std::size_t head = plain.size() - payload.size();
  const std::string_view mask = "\x37\xfa\x21\x3d";
  if (last == Last::no) plain[0] = static_cast<char>(plain[0] & 0x7f);
  plain[1] = static_cast<char>(plain[1] | 0x80);
  for (std::size_t i = 0; i < payload.size(); ++i) plain[head + i] ^= mask[i % mask.size()];
  return plain.insert(head, mask);
}

constexpr int continuation = 0, text = 1, binary = 2, close_frame = 8, ping = 9, pong = 10;

struct Seen {
  Kind kind;
  std::string payload;
  std::uint16_t status = 0;
  bool operator==(const Seen&) const = default;
};

// What becomes of bytes that come in such pieces; up to what ends the connection.
std::vector<Seen> read(std::string_view bytes, std::size_t piece, std::size_t max = 1'000'000) {
  server::WebSocketReader reader(max);
  std::vector<Seen> seen;
  std::string there;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    there += bytes.substr(0, piece);
    std::span<char> rest(there);
    while (const auto incoming = reader.next(rest)) {
      seen.push_back({incoming->kind, std::string(incoming->payload), incoming->status});
      if (incoming->status != 0) return seen;
    }
    there.erase(0, there.size() - rest.size());
  }
  return seen;
}

std::vector<Seen> read(std::string_view bytes) { return read(bytes, bytes.size()); }

TEST_CASE("messages and control frames come as they were sent, however the bytes are cut") {
  const std::string large(70'000, 'l');
  const std::string bytes = frame(text, "one") + frame(binary, std::string(200, 'b')) +
                            frame(text, "t\xc3", Last::no) + frame(ping, "between") +
                            frame(continuation, "\xa4", Last::no) + frame(continuation, "w") +
                            frame(pong, "") + frame(text, large) + frame(text, "", Last::no) +
                            frame(continuation, "") + frame(close_frame, "\x03\xe9reason");
  const std::vector<Seen> expected{
      {Kind::text, "one"},     {Kind::binary, std::string(200, 'b')},
      {Kind::ping, "between"}, {Kind::text, "täw"},
      {Kind::pong, ""},        {Kind::text, large},
      {Kind::text, ""},        {Kind::close, "", 1001},
  };
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    CAPTURE(piece);
    CHECK(read(bytes, piece) == expected);
  }
}

TEST_CASE("what breaks the protocol is known with its status, as early as it can be") {
  struct Row {
    const char* what;
    std::string bytes;
    std::uint16_t status;
  };
  for (const Row& row : {
           Row{"a reserved bit", "\xc1\x80", 1002},
           Row{"no mask", {"\x81\x00", 2}, 1002},
           Row{"an unknown opcode", "\x83\x80", 1002},
           Row{"a continuation of nothing", "\x80\x80", 1002},
           Row{"a text within a text", frame(text, "", Last::no) + "\x81\x80", 1002},
           Row{"a long ping", "\x89\xfe", 1002},
           Row{"a ping in pieces", "\x09\x80", 1002},
           Row{"a length in two bytes that fits one",
               {"\x81\xfe\x00\x7d"
                "mask",
                8},
               1002},
           Row{"a length in eight that fits two",
               {"\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"
                "mask",
                14},
               1002},
           Row{"too large",
               {"\x82\xff\x00\x00\x00\x00\x00\x0f\x42\x41"
                "mask",
                14},
               1009},
           Row{"larger than anything",
               {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                "mask",
                14},
               1009},
           Row{"not UTF-8", frame(text, "\xff"), 1007},
           Row{"not UTF-8, in the first piece", frame(text, "ok\xff", Last::no), 1007},
           Row{"a character that breaks off at a piece's end and does not go on",
               frame(text, "\xe2\x82", Last::no) + frame(continuation, "x", Last::no), 1007},
           Row{"a character that breaks off", frame(text, "\xe2\x82"), 1007},
           Row{"a close of one byte", frame(close_frame, "\x03"), 1002},
           Row{"a close with a status that is not sent", frame(close_frame, "\x03\xed"), 1002},
           Row{"a close with a reason that is not UTF-8", frame(close_frame, "\x03\xe8\xff"), 1002},
       }) {
    CAPTURE(row.what);
    CHECK(read(row.bytes) == std::vector<Seen>{{Kind::broken, "", row.status}});
  }
}

TEST_CASE("a message in pieces is too large as soon as they are together") {
  const std::string half(60, 'x');
  const auto both = frame(binary, half, Last::no) + frame(continuation, half);
  CHECK(read(both, both.size(), 120) == std::vector<Seen>{{Kind::binary, half + half}});
  CHECK(read(both, both.size(), 119) == std::vector<Seen>{{Kind::broken, "", 1009}});
}

TEST_CASE("a close without a status is a normal one") {
  CHECK(read(frame(close_frame, "")) == std::vector<Seen>{{Kind::close, "", 1000}});
}

TEST_CASE("frames that leave are not masked, and their lengths are as short as can be") {
  const auto head = [](std::size_t size) {
    std::string out;
    server::append_websocket_frame(server::Opcode::text, std::string(size, 'x'), out);
    CHECK(out.ends_with(std::string(size, 'x')));
    return out.substr(0, out.size() - size);
  };
  CHECK(head(0) == std::string("\x81\x00", 2));
  CHECK(head(125) == "\x81\x7d");
  CHECK(head(126) == std::string("\x81\x7e\x00\x7e", 4));
  CHECK(head(65'535) == "\x81\x7e\xff\xff");
  CHECK(head(65'536) == std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

TEST_CASE("the handshake's answer is that of RFC 6455") {
  CHECK(server::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
