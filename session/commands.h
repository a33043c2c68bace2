#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "wire/bytes.h"
#include "wire/records.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/operations.h"

// What servers ask of the leader on behalf of their clients.
namespace session {

// A connection among all that ever were: the server that holds it, and a number which that server
// never gives twice, across restarts too. Requests of a session are taken from its owner alone.
struct Owner {
  std::uint32_t server = 0;
  std::uint64_t connection = 0;

  bool operator==(const Owner&) const = default;
};

// Of a session's 128-bit secret. The secret itself is never stored.
using SecretHash = std::array<std::uint8_t, 32>;

// Opens a session. Its id is the zxid of the transaction.
struct OpenSession {
  SecretHash secret_hash{};
  std::int64_t timeout_ms = 0;    // negotiated already
  std::uint32_t results_max = 0;  // outcomes of its writes to keep; 0: it does not ask twice

  bool operator==(const OpenSession&) const = default;
};

// Makes the command's owner that of the session, if the secret is right.
struct MoveSession {
  SecretHash secret_hash{};
  std::int64_t timeout_ms = 0;
  std::uint32_t results_max = 0;

  bool operator==(const MoveSession&) const = default;
};

// Ends a session: by its client's wish, or because it expired (then only the leader says so).
struct CloseSession {
  bool expired = false;

  bool operator==(const CloseSession&) const = default;
};

// Takes away the nodes that are due: containers and TTL nodes. Only the leader says so.
struct ReapNodes {
  bool operator==(const ReapNodes&) const = default;
};

using Order =
    std::variant<OpenSession, MoveSession, CloseSession, ReapNodes, wire::CreateRequest,
                 wire::SetRequest, wire::DeleteRequest, wire::SetAclRequest, wire::MultiRequest>;

// An order, who gives it, and where the answer is awaited.
struct Command {
  wire::SessionId session;  // none for OpenSession
  Owner owner;              // the connection it came over; default for an expiry
  std::uint64_t tag = 0;    // by which owner.server knows the request again; 0: nobody waits
  Order order;
  znode::Identities identities = {};  // of the client, as the owner's server knows them
  // The client's number of a write whose outcome is to be kept.
  std::optional<std::int64_t> number = {};

  bool operator==(const Command&) const = default;
};

// What a client's request asks of the leader; nothing where it can be answered here.
[[nodiscard]] std::optional<Order> order_of(const wire::Request& request);

// The form in which a follower forwards a command to the leader. A command that does not decode is
// a MarshallingError.
void encode(const Command& command, wire::Bytes& out);
[[nodiscard]] wire::Result<Command> decode_command(std::string_view bytes);

// Why the leader did not take a command. Its client gets `refusal.reply()`.
using Refusal = znode::Refusal;

// The form in which the leader tells the follower.
void encode(const Refusal& refusal, wire::Bytes& out);
[[nodiscard]] wire::Result<Refusal> decode_refusal(std::string_view bytes);

}  // namespace session
