#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/bytes.h"
#include "wire/records.h"
#include "wire/result.h"
#include "zab/messages.h"

// What one server sends another over their link: the protocol's own messages, and what servers do
// for each other's clients.
namespace server {

// To the leader: plan this command (session::Command, encoded). Void in any other epoch than the
// one it names: by then its sender has asked again.
struct Forward {
  wire::Epoch epoch;
  wire::Bytes command;

  bool operator==(const Forward&) const = default;
};

// From the leader: the command with this tag cannot be planned (session::Refusal, encoded). Said
// once everything that it was judged against is committed; `zxid` is at or after all of that.
struct ForwardRefused {
  std::uint64_t tag = 0;
  wire::Zxid zxid;
  wire::Bytes refusal;

  bool operator==(const ForwardRefused&) const = default;
};

// To the leader: these sessions were heard of since the last time.
struct Touched {
  std::vector<wire::SessionId> sessions;

  bool operator==(const Touched&) const = default;
};

// To the leader: up to where must a read see, that is to see all that was acknowledged before now?
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

// Shows that the connection lives where there is nothing else to say.
struct KeepAlive {
  bool operator==(const KeepAlive&) const = default;
};

using PeerMessage = std::variant<zab::Message, Forward, ForwardRefused, Touched, AskReadPoint,
                                 ReadPoint, KeepAlive>;

void encode(const PeerMessage& message, wire::Bytes& out);
// Refuses, saying why, whatever `encode` would not have written.
[[nodiscard]] wire::Result<PeerMessage> decode_peer_message(std::string_view bytes);

}  // namespace server
