#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/bytes.h"
#include "wire/forms.h"
#include "wire/records.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/operations.h"

// Commands: the requests that servers forward to the leader for their clients.
namespace session {

// A unique id of a client's connection: its server, and a number that the server never uses twice,
// not even after a restart. Only the owner of a session may send requests for it.
struct Owner {
  std::uint32_t server = 0;
  std::uint64_t connection = 0;

  bool operator==(const Owner&) const = default;
};

// Owns a session whose end is planned in parts: no connection may use it.
inline constexpr Owner nobody{};

// The hash of a session's 128-bit secret. The secret itself is never stored.
using SecretHash = std::array<std::uint8_t, 32>;

// Opens a session. Its id is the zxid of the transaction.
struct OpenSession {
  SecretHash secret_hash{};
  std::int64_t timeout_ms = 0;    // negotiated already
  std::uint32_t results_max = 0;  // how many results of its writes are kept; 0: no deduplication

  bool operator==(const OpenSession&) const = default;
};

// Makes the command's owner the owner of the session, if the secret is right.
struct MoveSession {
  SecretHash secret_hash{};
  std::int64_t timeout_ms = 0;
  std::uint32_t results_max = 0;

  bool operator==(const MoveSession&) const = default;
};

// Ends a session, because its client asked for it or because it expired. Only the leader expires
// sessions.
struct CloseSession {
  bool expired = false;

  bool operator==(const CloseSession&) const = default;
};

// Deletes containers and TTL nodes that are due. Only the leader does this.
struct ReapNodes {
  bool operator==(const ReapNodes&) const = default;
};

using CommandBody =
    std::variant<OpenSession, MoveSession, CloseSession, ReapNodes, wire::CreateRequest,
                 wire::SetRequest, wire::DeleteRequest, wire::SetAclRequest, wire::MultiRequest>;

// A command of a session, and where its result is to be sent.
struct Command {
  wire::SessionId session;  // none for OpenSession
  Owner owner;              // the connection it came over; default for an expiry
  std::uint64_t tag = 0;    // identifies the request on owner.server; 0: no request waits
  CommandBody body;
  znode::Identities identities = {};  // of the client, authenticated by its server
  // The client's number of this write, if its result is to be kept.
  std::optional<std::int64_t> number = {};
  std::vector<wire::Condition> conditions = {};  // all must hold, or it does nothing

  bool operator==(const Command&) const = default;
};

// The least version of a command that can hold this one.
[[nodiscard]] std::uint8_t least_version(const Command& command);
// Why a command is refused while the level has no version that can hold it.
[[nodiscard]] wire::Error needs_newer_level();

// The command's body for a client's request; none if any server can answer the request.
[[nodiscard]] std::optional<CommandBody> command_body_of(const wire::Request& request);

// The form in which a follower forwards a command to the leader. Precondition of encoding: `forms`
// have at least its least version. Decoding returns MarshallingError for invalid bytes, and for a
// version that is not known (`newest`: the newest versions that are known).
void encode(const Command& command, const wire::Forms& forms, wire::Bytes& out);
[[nodiscard]] wire::Result<Command> decode_command(std::string_view bytes,
                                                   const wire::Forms& newest = wire::newest_forms);

// Why the leader refused a command. Its client gets `refusal.reply()`.
using Refusal = znode::Refusal;

// The form in which the leader sends a refusal to the follower. Decoding returns Unimplemented for
// a version that this program does not know.
void encode(const Refusal& refusal, const wire::Forms& forms, wire::Bytes& out);
// The code that a refusal has in the versions of `forms`. Programs that know only those do not know
// every code: before version 3 of a refusal, ConditionFailed is BadVersion, which says as well that
// nothing was done; at levels 0 and 1 Overloaded is Throttled.
[[nodiscard]] wire::ErrorCode code_in(const wire::Forms& forms, wire::ErrorCode code);
[[nodiscard]] wire::Result<Refusal> decode_refusal(std::string_view bytes,
                                                   const wire::Forms& newest = wire::newest_forms);

}  // namespace session
