#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/bytes.h"
#include "wire/records.h"
#include "wire/result.h"
#include "zab/messages.h"

// The messages between servers: those of the protocol, and those that servers send on behalf of
// their clients.
namespace server {

// To the leader: plan this command (an encoded session::Command). Ignored in any epoch but the one
// it names: its sender sends it again in the next epoch.
struct Forward {
  wire::Epoch epoch;
  wire::Bytes command;

  bool operator==(const Forward&) const = default;
};

// From the leader: the command with this tag is refused (an encoded session::Refusal). Sent once
// every transaction that the command was judged against is committed; `zxid` is at or after all of
// them.
struct ForwardRefused {
  std::uint64_t tag = 0;
  wire::Zxid zxid;
  wire::Bytes refusal;

  bool operator==(const ForwardRefused&) const = default;
};

// To the leader: these sessions have sent something since the last Touched.
struct Touched {
  std::vector<wire::SessionId> sessions;

  bool operator==(const Touched&) const = default;
};

// To the leader: which zxid must a read see, so that it sees every write acknowledged before now?
struct AskReadPoint {
  wire::Epoch epoch;
  std::uint64_t token = 0;

  bool operator==(const AskReadPoint&) const = default;
};

struct ReadPoint {
  std::uint64_t token = 0;
  wire::Zxid zxid;

  bool operator==(const ReadPoint&) const = default;
};

// To the leader: answer once it is certain that the sessions that are touched by now were not ended
// by an earlier plan, and that the leader still led when their touches arrived. Only over
// links of protocol 5.
struct ConfirmTouches {
  wire::Epoch epoch;
  std::uint64_t token = 0;

  bool operator==(const ConfirmTouches&) const = default;
};

// From the leader. Counts once `zxid` is applied.
struct TouchesConfirmed {
  std::uint64_t token = 0;
  wire::Zxid zxid;

  bool operator==(const TouchesConfirmed&) const = default;
};

// From a voter, in every heartbeat: what its wall clock shows. Only over links of protocol 4.
struct ClockReading {
  wire::TimeMs shown = 0;

  bool operator==(const ClockReading&) const = default;
};

// Shows that the connection works while there is nothing else to send.
struct KeepAlive {
  bool operator==(const KeepAlive&) const = default;
};

using PeerMessage =
    std::variant<zab::Message, Forward, ForwardRefused, Touched, AskReadPoint, ReadPoint, KeepAlive,
                 ClockReading, ConfirmTouches, TouchesConfirmed>;

// The least protocol of a link (see greeting.h) over which the message may be sent. Over others it
// is left out.
[[nodiscard]] constexpr std::uint16_t least_protocol(const PeerMessage& message) {
  const bool confirms = std::holds_alternative<ConfirmTouches>(message) ||
                        std::holds_alternative<TouchesConfirmed>(message);
  if (confirms) return 5;
  return std::holds_alternative<ClockReading>(message) ? 4 : 0;
}

void encode(const PeerMessage& message, wire::Bytes& out);
// An error, which says why, for bytes that `encode` would not have written.
[[nodiscard]] wire::Result<PeerMessage> decode_peer_message(std::string_view bytes);

}  // namespace server
