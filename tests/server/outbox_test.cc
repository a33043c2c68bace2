#include "server/clients/outbox.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/server/client_frames.h"

namespace {

using client_frames::cbor;
using client_frames::json;
using client_frames::message;

std::vector<std::string> frames(server::Outbox& outbox, std::size_t batch_bytes) {
  std::vector<std::string> all;
  while (!outbox.empty()) all.emplace_back(outbox.next_frame(batch_bytes));
  return all;
}

TEST_CASE("without batches every message is a frame of its own") {
  server::Outbox outbox(wire::Format::json);
  for (const char* reason : {"a", "b", "c"}) outbox.add(message(reason));
  CHECK(frames(outbox, 0) == std::vector{json("a"), json("b"), json("c")});
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("with batches, messages up to the batch size share a frame") {
  const std::size_t one = json("a").size() + 1;
  server::Outbox outbox(wire::Format::json);
  for (const char* reason : {"a", "b", "c", "d", "e"}) outbox.add(message(reason));
  CHECK(frames(outbox, 2 * one) == std::vector{"[" + json("a") + "," + json("b") + "]",
                                               "[" + json("c") + "," + json("d") + "]", json("e")});
}

TEST_CASE("a single message, or one too large for a batch, is sent without an array") {
  server::Outbox outbox(wire::Format::json);
  outbox.add(message("a"));
  CHECK(frames(outbox, 1000) == std::vector{json("a")});

  const std::string large(100, 'x');
  outbox.clear();
  for (const std::string& reason : {std::string("a"), large, std::string("b"), std::string("c")}) {
    outbox.add(message(reason));
  }
  CHECK(frames(outbox, 80) ==
        std::vector{json("a"), json(large), "[" + json("b") + "," + json("c") + "]"});
}

TEST_CASE("bytes counts the messages that are still queued") {
  server::Outbox outbox(wire::Format::json);
  CHECK(outbox.bytes() == 0);
  outbox.add(message("a"));
  const std::size_t one = outbox.bytes();
  outbox.add(message("b"));
  CHECK(outbox.bytes() == 2 * one);
  (void)outbox.next_frame(0);
  CHECK(outbox.bytes() == one);
  outbox.clear();
  CHECK(outbox.bytes() == 0);
  CHECK(outbox.empty());
}

TEST_CASE("a CBOR frame of several messages begins with an array head") {
  server::Outbox outbox(wire::Format::cbor);
  const std::size_t one = cbor("a").size();
  for (int round = 0; round < 2; ++round) {
    CHECK(outbox.bytes() == 0);
    for (const char* reason : {"a", "b", "c", "d", "e"}) outbox.add(message(reason));
    CHECK(outbox.bytes() == 5 * one);
    CHECK(frames(outbox, 2 * one) ==
          std::vector{"\x82" + cbor("a") + cbor("b"), "\x82" + cbor("c") + cbor("d"), cbor("e")});
    outbox.clear();
  }
  for (const char* reason : {"a", "b"}) outbox.add(message(reason));
  CHECK(frames(outbox, 0) == std::vector{cbor("a"), cbor("b")});

  outbox.clear();
  std::string all;
  for (int i = 0; i < 300; ++i) {
    outbox.add(message("a"));
    all += cbor("a");
  }
  CHECK(frames(outbox, 1'000'000) == std::vector{"\x99\x01\x2c" + all});
}

}  // namespace
