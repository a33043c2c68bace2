#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/clients/client_protocol.h"
#include "tests/server/client_frames.h"

// A client's connection without a socket: the test passes bytes and the time, and gets bytes and
// events.
namespace client_protocol {

using namespace std::chrono_literals;
using client_frames::cbor;
using client_frames::Frame;
using client_frames::json;
using client_frames::message;
using server::ClientProtocol;
using Events = std::vector<std::string>;
using Frames = std::vector<Frame>;

struct Connection {
  explicit Connection(
      wire::Format format = wire::Format::json, server::ClientLimits small = server::ClientLimits{},
      const server::BudgetTable& table = server::budget_table(server::usual_memory_limit))
      : limits(small),
        ledger(server::Ledger::make(server::usual_memory_limit, table)),
        protocol(format, limits, counters, ledger->of("127.0.0.1"), now) {}

  // Hands over bytes in pieces, as a stream does. Returns the events.
  Events receive(std::string bytes, std::size_t piece = std::string::npos) {
    Events all;
    for (std::size_t at = 0; at < bytes.size() && protocol.wants_bytes();) {
      std::string some = bytes.substr(at, piece);
      at += some.size();
      protocol.receive(some);
      const Events events = next();
      std::ranges::fill(some, '!');  // the buffer belongs to other connections now
      all.insert(all.end(), events.begin(), events.end());
    }
    return all;
  }

  Events next() {
    Events events;
    while (auto event = protocol.next(now)) {
      if (auto* parsed = std::get_if<wire::ParsedFrame>(&*event)) {
        events.push_back("received " + std::to_string(parsed->requests.size()));
        last = std::move(*parsed);
        if (pauses) protocol.pause();
      }
      if (std::holds_alternative<server::Alive>(*event)) events.emplace_back("alive");
      if (std::holds_alternative<server::Closed>(*event)) events.emplace_back("closed");
    }
    return events;
  }

  // The bytes of the next write, which stay on their way until `written`.
  std::string compose() {
    std::string out;
    protocol.compose(out, now);
    return out;
  }

  // All frames that leave now. A server masks nothing and sends every message in one frame.
  Frames sent() {
    std::string all;
    while (protocol.has_output()) {
      const std::string some = compose();
      protocol.written(some.size(), now);
      all += some;
    }
    return read(all);
  }
  static Frames read(std::string bytes) {
    Frames frames;
    std::string again;
    const std::string copy = bytes;
    server::WebSocketReader reader(100'000'000, server::Sender::server);
    reader.feed(bytes);
    while (const auto incoming = reader.next()) {
      frames.push_back(client_frames::to_frame(*incoming).value());
      std::string payload = frames.back().payload;
      if (const auto status = frames.back().status; status != 0) {
        payload = std::string{static_cast<char>(status >> 8), static_cast<char>(status)} + payload;
      }
      server::append_websocket_frame(frames.back().opcode, payload, again);
    }
    CHECK((again == copy));
    return frames;
  }

  // Lets the time pass.
  void wait(std::chrono::milliseconds later) {
    now += later;
    protocol.time_is(now);
  }
  void send(const std::string& reason) { CHECK(protocol.queue().send(message(reason))); }

  bool pauses = false;  // after every request
  wire::ParsedFrame last;
  ClientProtocol::Time now{1h};
  server::ClientLimits limits;
  server::ConnectionCounters counters;
  std::shared_ptr<server::Ledger> ledger;
  ClientProtocol protocol;
};

}  // namespace client_protocol
