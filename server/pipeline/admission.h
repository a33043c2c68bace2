#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "session/commands.h"
#include "session/results.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

// Admission: decides what a request of an open session needs. A function of the request, its client
// and the limits.
namespace server {

struct AdmissionLimits {
  std::size_t data_bytes_max = 0;  // of one znode, `maxDataBytes`
  std::size_t multi_ops_max = 0;   // `maxMultiOps`
};

// The properties of the client that admission depends on.
struct Requester {
  wire::SessionId session;
  bool read_only = false;                   // the session was opened without a quorum
  bool dedup = false;                       // its writes have numbers, and may be sent twice
  std::optional<std::int64_t> last_number;  // the highest number of its writes so far
};

// Reply at once, in the request's place in the order.
struct ReplyNow {
  wire::Result<wire::ReplyBody> body;
};
// Add identities to the connection. The rest is in the wire::AuthRequest.
struct Authenticate {};
// Read what this server has applied.
struct LocalRead {};
// Read after a quorum has confirmed how far the history goes.
struct QuorumRead {};
// Read once `zxid` is applied here.
struct ReadAtLeast {
  wire::Zxid zxid;
};
// Forward to the leader.
struct Write {
  session::CommandBody body;
  std::optional<std::int64_t> number;  // of a write whose outcome is to be kept
  std::vector<wire::Condition> conditions = {};
};
// A write that was sent before: reply with `known_outcome`.
struct RepeatedWrite {
  std::int64_t number = 0;
};

using Admission =
    std::variant<ReplyNow, Authenticate, LocalRead, QuorumRead, ReadAtLeast, Write, RepeatedWrite>;

[[nodiscard]] Admission admit(const wire::ClientRequest& request, const Requester& requester,
                              const AdmissionLimits& limits);

// Whether the request asks when it is the turn of a node that is there.
[[nodiscard]] bool watches_turn(const wire::Request& request);

// With `dedup` the id of a write is its number. None if the id is no integer.
[[nodiscard]] std::optional<std::int64_t> number_of(const wire::RequestId& id);

// The outcome of a RepeatedWrite. `results` are those kept for its session, null if there are none.
// They have all writes of the session's earlier connections, because the transaction that moved the
// session to this connection came after those writes.
// With `receipt_only` a large result becomes a receipt.
[[nodiscard]] wire::Result<wire::ReplyBody> known_outcome(const session::Results* results,
                                                          std::int64_t number,
                                                          std::int64_t last_number,
                                                          bool receipt_only = false);

}  // namespace server
