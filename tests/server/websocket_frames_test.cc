#include "server/clients/websocket_frames.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "tests/server/client_frames.h"

namespace {

using client_frames::close;
using client_frames::frame;
using client_frames::Last;
using client_frames::text;
using server::Opcode;
using FrameKind = server::Incoming::Kind;

constexpr auto continuation = Opcode::continuation;
constexpr auto binary = Opcode::binary;
constexpr auto ping = Opcode::ping;
constexpr auto pong = Opcode::pong;

struct Seen {
  FrameKind kind;
  std::string payload;
  std::uint16_t status = 0;
  bool operator==(const Seen&) const = default;
};

// Reads bytes that arrive in pieces of this size, up to a frame that ends the connection.
std::vector<Seen> read(std::string_view bytes, std::size_t piece, std::size_t max = 1'000'000) {
  server::WebSocketReader reader(max);
  std::vector<Seen> seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    std::string some(bytes.substr(0, piece));
    reader.feed(some);
    while (const auto incoming = reader.next()) {
      seen.push_back({incoming->kind, std::string(incoming->payload), incoming->status});
      if (incoming->status != 0) return seen;
    }
  }
  return seen;
}

std::vector<Seen> read(std::string_view bytes) { return read(bytes, bytes.size()); }

TEST_CASE("messages and control frames are read from a stream in pieces of any size") {
  const std::string large(70'000, 'l');
  const std::string bytes = text("one") + frame(binary, std::string(200, 'b')) +
                            frame(Opcode::text, "t\xc3", Last::no) + frame(ping, "between") +
                            frame(continuation, "\xa4", Last::no) + frame(continuation, "w") +
                            frame(pong, "") + text(large) + frame(Opcode::text, "", Last::no) +
                            frame(continuation, "") + close("\x03\xe9reason");
  const std::vector<Seen> expected{
      {FrameKind::text, "one"},     {FrameKind::binary, std::string(200, 'b')},
      {FrameKind::ping, "between"}, {FrameKind::text, "täw"},
      {FrameKind::pong, ""},        {FrameKind::text, large},
      {FrameKind::text, ""},        {FrameKind::close, "reason", 1001},
  };
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    CAPTURE(piece);
    CHECK(read(bytes, piece) == expected);
  }
}

TEST_CASE("an invalid frame is rejected with its status as soon as its first bytes prove it") {
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
           Row{"a text within a text", frame(Opcode::text, "", Last::no) + "\x81\x80", 1002},
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
           Row{"not UTF-8", text("\xff"), 1007},
           Row{"not UTF-8, in the first piece", frame(Opcode::text, "ok\xff", Last::no), 1007},
           Row{"a character that breaks off at a piece's end and does not go on",
               frame(Opcode::text, "\xe2\x82", Last::no) + frame(continuation, "x", Last::no),
               1007},
           Row{"a character that breaks off", text("\xe2\x82"), 1007},
           Row{"a close of one byte", close("\x03"), 1002},
           Row{"a close with a status that is not sent", close("\x03\xed"), 1002},
           Row{"a close with a reason that is not UTF-8", close("\x03\xe8\xff"), 1002},
       }) {
    CAPTURE(row.what);
    CHECK(read(row.bytes) == std::vector<Seen>{{FrameKind::broken, "", row.status}});
  }
}

TEST_CASE("the size limit of a message applies to the sum of its frames") {
  const std::string half(60, 'x');
  const auto both = frame(binary, half, Last::no) + frame(continuation, half);
  CHECK(read(both, both.size(), 120) == std::vector<Seen>{{FrameKind::binary, half + half}});
  CHECK(read(both, both.size(), 119) == std::vector<Seen>{{FrameKind::broken, "", 1009}});
}

TEST_CASE("a close frame without a status counts as a normal close") {
  CHECK(read(close("")) == std::vector<Seen>{{FrameKind::close, "", 1000}});
}

TEST_CASE("a server's frames are not masked, and their lengths are as short as possible") {
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

TEST_CASE("a reader keeps unread bytes for later, and reads nothing after discard") {
  server::WebSocketReader reader(1000);
  {
    std::string some = text("one") + text("two") + text("three").substr(0, 5);
    reader.feed(some);
    CHECK(reader.next()->payload == "one");
    reader.keep();
  }
  CHECK(reader.next()->payload == "two");
  CHECK_FALSE(reader.next());
  std::string rest = text("three").substr(5) + text("four");
  reader.feed(rest);
  CHECK(reader.next()->payload == "three");
  reader.discard();
  CHECK_FALSE(reader.next());
}

TEST_CASE("a client reads a server's frames, and rejects those that are masked") {
  server::WebSocketReader reader(1000, server::Sender::server);
  std::string bytes = frame(Opcode::text, "hello", Last::yes, client_frames::Mask::no);
  reader.feed(bytes);
  CHECK(reader.next()->payload == "hello");
  std::string masked = text("hello");
  reader.feed(masked);
  CHECK(reader.next()->status == 1002);
}

TEST_CASE("Sec-WebSocket-Accept is computed as in the example of RFC 6455") {
  CHECK(server::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
