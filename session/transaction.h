#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "session/commands.h"
#include "wire/bytes.h"
#include "wire/records.h"
#include "wire/result.h"
#include "znode/txn.h"

// What the log holds and every server applies: a judged command.
namespace session {

struct OpenTxn {
  SecretHash secret_hash{};
  std::int64_t timeout_ms = 0;
  std::uint32_t results_max = 0;

  bool operator==(const OpenTxn&) const = default;
};

struct MoveTxn {
  std::int64_t timeout_ms = 0;
  std::uint32_t results_max = 0;

  bool operator==(const MoveTxn&) const = default;
};

struct CloseTxn {
  bool expired = false;
  std::uint32_t ephemerals = 0;  // that go with the session: all that it has

  bool operator==(const CloseTxn&) const = default;
};

// Changes nothing but what the session keeps: that a write was refused, for a session that may ask
// again.
struct RefuseTxn {
  Refusal refusal;

  bool operator==(const RefuseTxn&) const = default;
};

// By whom, to be answered where, and when: as in Command, with the time that the leader gave it.
struct Transaction {
  wire::SessionId session;  // none for OpenTxn
  Owner owner;
  std::uint64_t tag = 0;
  wire::TimeMs time = 0;
  std::variant<OpenTxn, MoveTxn, CloseTxn, RefuseTxn, znode::Txn> body;
  std::optional<std::int64_t> number = {};

  bool operator==(const Transaction&) const = default;
};

// Where the answer to a transaction goes.
struct Origin {
  Owner owner;
  std::uint64_t tag = 0;

  bool operator==(const Origin&) const = default;
};

void encode(const Transaction& transaction, wire::Bytes& out);
// Without a look at the rest. Null if `bytes` do not begin as a transaction does.
[[nodiscard]] std::optional<Origin> origin_of(std::string_view bytes);
// MarshallingError if `bytes` are not exactly one transaction.
[[nodiscard]] wire::Result<Transaction> decode_transaction(std::string_view bytes);

}  // namespace session
