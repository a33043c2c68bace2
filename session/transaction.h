#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "session/commands.h"
#include "wire/bytes.h"
#include "wire/forms.h"
#include "wire/records.h"
#include "wire/result.h"
#include "znode/txn.h"

// Transactions: planned commands. The log holds them, and every server applies them.
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
  std::uint32_t ephemerals = 0;  // the number of ephemeral nodes that are deleted with it

  bool operator==(const CloseTxn&) const = default;
};

// Records a refused write, for a session that keeps results. Changes nothing else.
struct RefuseTxn {
  Refusal refusal;

  bool operator==(const RefuseTxn&) const = default;
};

// Sets the level of the ensemble. Changes nothing else.
struct LevelTxn {
  wire::Level level;

  bool operator==(const LevelTxn&) const = default;
};

// A transaction with the fields of its Command, and the time that the leader gave it.
struct Transaction {
  wire::SessionId session;  // none for OpenTxn
  Owner owner;
  std::uint64_t tag = 0;
  wire::TimeMs time = 0;
  std::variant<OpenTxn, MoveTxn, CloseTxn, RefuseTxn, znode::Txn, LevelTxn> body;
  std::optional<std::int64_t> number = {};

  bool operator==(const Transaction&) const = default;
};

// The request that waits for a transaction's result.
struct Origin {
  Owner owner;
  std::uint64_t tag = 0;

  bool operator==(const Origin&) const = default;
};

// Writes the versions of `forms`. A LevelTxn needs version 3 of a transaction, so all servers of
// the ensemble must know that version (see Service::plan_level).
void encode(const Transaction& transaction, const wire::Forms& forms, wire::Bytes& out);
// Decodes only the beginning. None if `bytes` do not begin like a transaction.
[[nodiscard]] std::optional<Origin> origin_of(std::string_view bytes);
// Returns Unimplemented for a version that is not known (`newest`: the newest versions that are
// known), and MarshallingError for other bytes that are not exactly one transaction.
[[nodiscard]] wire::Result<Transaction> decode_transaction(
    std::string_view bytes, const wire::Forms& newest = wire::newest_forms);

}  // namespace session
