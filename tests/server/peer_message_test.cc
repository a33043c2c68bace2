#include "server/peers/peer_message.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/peers/frame.h"
#include "tests/server/peer_messages.h"

namespace server {
namespace {

using peer_messages::one_of_each;

wire::Bytes bytes_of(const PeerMessage& message) {
  wire::Bytes bytes;
  encode(message, bytes);
  return bytes;
}

}  // namespace

TEST_CASE("every peer message equals the original after encoding and decoding") {
  CHECK(one_of_each().size() ==
        std::variant_size_v<zab::Message> + std::variant_size_v<PeerMessage> - 1);
  for (const PeerMessage& message : one_of_each()) {
    const wire::Bytes bytes = bytes_of(message);
    CAPTURE(static_cast<int>(bytes[0]));
    const auto back = decode_peer_message(bytes);
    REQUIRE(back.has_value());
    CHECK(back->index() == message.index());
    // A field that the encoder or the decoder leaves out would be zero in the second encoding.
    CHECK(bytes_of(*back) == bytes);
    if (const auto* m = std::get_if<zab::Message>(&message)) {
      CHECK(std::get<zab::Message>(*back).index() == m->index());
    }
  }
}

TEST_CASE("no peer message begins like a greeting") {
  for (const PeerMessage& message : one_of_each()) {
    const char first = bytes_of(message).front();
    CHECK(first != 'K');  // see `magic` in greeting.cc
  }
}

TEST_CASE("a truncated, overlong or unknown peer message is refused") {
  for (const PeerMessage& message : one_of_each()) {
    const wire::Bytes bytes = bytes_of(message);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      CAPTURE(length);
      CHECK_FALSE(decode_peer_message(std::string_view(bytes).substr(0, length)).has_value());
    }
    CHECK_FALSE(decode_peer_message(bytes + '\0').has_value());
  }
  CHECK_FALSE(decode_peer_message(std::string(1, '\0')).has_value());
  CHECK_FALSE(decode_peer_message(std::string(1, '\x7f')).has_value());
}

TEST_CASE("frames are read from a stream in pieces of any size") {
  wire::Bytes stream;
  for (const char* content : {"one", "", "three"}) append_frame(content, stream);
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    CAPTURE(step);
    FrameReader reader;
    std::vector<std::string> contents;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.append(std::string_view(stream).substr(at, step));
      for (;;) {
        const auto content = reader.next();
        REQUIRE(content.has_value());
        if (!*content) break;
        contents.emplace_back(**content);
      }
    }
    CHECK(contents == std::vector<std::string>{"one", "", "three"});
  }
}

TEST_CASE("a frame with one flipped bit is never returned") {
  wire::Bytes stream;
  append_frame("a transaction", stream);
  for (std::size_t bit = 0; bit < 8 * stream.size(); ++bit) {
    CAPTURE(bit);
    wire::Bytes turned = stream;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << (bit % 8)));
    FrameReader reader;
    reader.append(turned);
    const auto content = reader.next();
    const bool given = content && *content;
    CHECK_FALSE(given);
  }
}

}  // namespace server
