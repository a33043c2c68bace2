#include "session/transaction.h"

#include <optional>
#include <string>
#include <utility>

#include "session/fields.h"

namespace session {
namespace {

using wire::ByteReader;
using wire::ByteWriter;
using znode::archive::put;
using znode::archive::take;

constexpr std::uint8_t form = 2;

// The byte before the body; a number is never used for something else.
enum class Kind : std::uint8_t { open = 1, move = 2, close = 3, tree = 4, refuse = 5 };

void put_kind(Kind kind, ByteWriter& out) { out.integer(static_cast<std::uint8_t>(kind)); }

void put_body(const OpenTxn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  put_kind(Kind::open, writer);
  put(writer, txn.secret_hash);
  put(writer, txn.timeout_ms);
  put(writer, txn.results_max);
}

void put_body(const MoveTxn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  put_kind(Kind::move, writer);
  put(writer, txn.timeout_ms);
  put(writer, txn.results_max);
}

void put_body(const CloseTxn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  put_kind(Kind::close, writer);
  put(writer, txn.expired);
  put(writer, txn.ephemerals);
}

void put_body(const RefuseTxn& txn, wire::Bytes& out) {
  wire::Bytes refusal;
  encode(txn.refusal, refusal);
  ByteWriter writer(out);
  put_kind(Kind::refuse, writer);
  put(writer, refusal);
}

void put_body(const znode::Txn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  put_kind(Kind::tree, writer);
  znode::encode(txn, out);
}

OpenTxn take_open(ByteReader& in) {
  OpenTxn txn;
  txn.secret_hash = take<SecretHash>(in);
  txn.timeout_ms = take<std::int64_t>(in);
  txn.results_max = take<std::uint32_t>(in);
  return txn;
}

MoveTxn take_move(ByteReader& in) {
  MoveTxn txn;
  txn.timeout_ms = take<std::int64_t>(in);
  txn.results_max = take<std::uint32_t>(in);
  return txn;
}

CloseTxn take_close(ByteReader& in) {
  CloseTxn txn;
  txn.expired = take<bool>(in);
  txn.ephemerals = take<std::uint32_t>(in);
  return txn;
}

using Body = decltype(Transaction::body);

std::optional<Body> take_body(ByteReader& in) {
  switch (Kind{in.integer<std::uint8_t>()}) {
    case Kind::open: return take_open(in);
    case Kind::move: return take_move(in);
    case Kind::close: return take_close(in);
    case Kind::refuse:
      if (auto refusal = decode_refusal(take<wire::Bytes>(in))) return RefuseTxn{*refusal};
      return std::nullopt;
    case Kind::tree:
      if (auto txn = znode::decode_txn(in)) return *std::move(txn);
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void encode(const Transaction& transaction, wire::Bytes& out) {
  ByteWriter writer(out);
  writer.integer(form);
  put(writer, transaction.session);
  put(writer, transaction.owner);
  put(writer, transaction.tag);
  put(writer, transaction.time);
  put(writer, transaction.number);
  std::visit([&out](const auto& body) { put_body(body, out); }, transaction.body);
}

std::optional<Origin> origin_of(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.integer<std::uint8_t>() != form) return std::nullopt;
  take<wire::SessionId>(in);
  const auto owner = take<Owner>(in);
  const auto tag = take<std::uint64_t>(in);
  if (in.failed()) return std::nullopt;
  return Origin{owner, tag};
}

wire::Result<Transaction> decode_transaction(std::string_view bytes) {
  const wire::Error malformed{wire::ErrorCode::marshalling_error,
                              "a transaction is cut short, too long or malformed"};
  ByteReader in(bytes);
  if (in.integer<std::uint8_t>() != form) return malformed;

  Transaction transaction;
  transaction.session = take<wire::SessionId>(in);
  transaction.owner = take<Owner>(in);
  transaction.tag = take<std::uint64_t>(in);
  transaction.time = take<wire::TimeMs>(in);
  transaction.number = take<std::optional<std::int64_t>>(in);
  std::optional<Body> body = take_body(in);
  if (!body || !in.complete()) return malformed;
  transaction.body = *std::move(body);
  return transaction;
}

}  // namespace session
