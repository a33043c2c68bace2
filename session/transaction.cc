#include "session/transaction.h"

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "session/archive_fields.h"

template <>
inline constexpr auto wire::archive::fields<session::OpenTxn> = std::tuple(
    &session::OpenTxn::secret_hash, &session::OpenTxn::timeout_ms, &session::OpenTxn::results_max);
template <>
inline constexpr auto wire::archive::fields<session::MoveTxn> =
    std::tuple(&session::MoveTxn::timeout_ms, &session::MoveTxn::results_max);
template <>
inline constexpr auto wire::archive::fields<session::CloseTxn> =
    std::tuple(&session::CloseTxn::expired, &session::CloseTxn::ephemerals);

namespace session {
namespace {

using wire::ByteReader;
using wire::ByteWriter;
using wire::archive::read;
using wire::archive::write;

constexpr std::uint8_t format = 2;

// The byte before the body. Never reuse a number for another body.
enum class Kind : std::uint8_t { open = 1, move = 2, close = 3, tree = 4, refuse = 5 };

void write_kind(Kind kind, ByteWriter& out) { out.integer(static_cast<std::uint8_t>(kind)); }

void write_body(const OpenTxn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(Kind::open, writer);
  write(writer, txn);
}

void write_body(const MoveTxn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(Kind::move, writer);
  write(writer, txn);
}

void write_body(const CloseTxn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(Kind::close, writer);
  write(writer, txn);
}

void write_body(const RefuseTxn& txn, wire::Bytes& out) {
  wire::Bytes refusal;
  encode(txn.refusal, refusal);
  ByteWriter writer(out);
  write_kind(Kind::refuse, writer);
  write(writer, refusal);
}

void write_body(const znode::Txn& txn, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(Kind::tree, writer);
  znode::encode(txn, out);
}

using Body = decltype(Transaction::body);

std::optional<Body> read_body(ByteReader& in) {
  switch (Kind{in.integer<std::uint8_t>()}) {
    case Kind::open: return read<OpenTxn>(in);
    case Kind::move: return read<MoveTxn>(in);
    case Kind::close: return read<CloseTxn>(in);
    case Kind::refuse:
      if (auto refusal = decode_refusal(read<wire::Bytes>(in))) return RefuseTxn{*refusal};
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
  writer.integer(format);
  write(writer, transaction.session);
  write(writer, transaction.owner);
  write(writer, transaction.tag);
  write(writer, transaction.time);
  write(writer, transaction.number);
  std::visit([&out](const auto& body) { write_body(body, out); }, transaction.body);
}

std::optional<Origin> origin_of(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.integer<std::uint8_t>() != format) return std::nullopt;
  static_cast<void>(read<wire::SessionId>(in));
  const auto owner = read<Owner>(in);
  const auto tag = read<std::uint64_t>(in);
  if (in.failed()) return std::nullopt;
  return Origin{owner, tag};
}

wire::Result<Transaction> decode_transaction(std::string_view bytes) {
  const wire::Error malformed{wire::ErrorCode::marshalling_error,
                              "a transaction is truncated, too long or malformed"};
  ByteReader in(bytes);
  if (in.integer<std::uint8_t>() != format) return malformed;

  Transaction transaction;
  transaction.session = read<wire::SessionId>(in);
  transaction.owner = read<Owner>(in);
  transaction.tag = read<std::uint64_t>(in);
  transaction.time = read<wire::TimeMs>(in);
  transaction.number = read<std::optional<std::int64_t>>(in);
  std::optional<Body> body = read_body(in);
  if (!body || !in.complete()) return malformed;
  transaction.body = *std::move(body);
  return transaction;
}

}  // namespace session
