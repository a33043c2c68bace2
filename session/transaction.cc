#include "session/transaction.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "session/archive_fields.h"
#include "wire/unknown_version.h"

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

constexpr std::uint8_t oldest_transaction = 2;
static_assert(wire::newest_forms.transaction == 3, "each version has a reader");

// The first version that has a LevelTxn.
constexpr std::uint8_t transaction_with_level = 3;

// The byte before the body. Never reuse a number for another body.
enum class TransactionKind : std::uint8_t {
  open = 1,
  move = 2,
  close = 3,
  tree = 4,
  refuse = 5,
  level = 6
};

bool is_known(std::uint8_t version, const wire::Forms& newest) {
  return oldest_transaction <= version && version <= newest.transaction;
}

wire::Error malformed() {
  return {wire::ErrorCode::marshalling_error, "a transaction is truncated, too long or malformed"};
}

void write_kind(TransactionKind kind, ByteWriter& out) {
  out.integer(static_cast<std::uint8_t>(kind));
}

void write_body(const OpenTxn& txn, const wire::Forms&, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(TransactionKind::open, writer);
  write(writer, txn);
}

void write_body(const MoveTxn& txn, const wire::Forms&, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(TransactionKind::move, writer);
  write(writer, txn);
}

void write_body(const CloseTxn& txn, const wire::Forms&, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(TransactionKind::close, writer);
  write(writer, txn);
}

void write_body(const RefuseTxn& txn, const wire::Forms& forms, wire::Bytes& out) {
  wire::Bytes refusal;
  encode(txn.refusal, forms, refusal);
  ByteWriter writer(out);
  write_kind(TransactionKind::refuse, writer);
  write(writer, refusal);
}

void write_body(const znode::Txn& txn, const wire::Forms& forms, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(TransactionKind::tree, writer);
  znode::encode(txn, forms, out);
}

void write_body(const LevelTxn& txn, const wire::Forms&, wire::Bytes& out) {
  ByteWriter writer(out);
  write_kind(TransactionKind::level, writer);
  writer.integer(txn.level.value);
}

using Body = decltype(Transaction::body);

wire::Result<Body> read_refusal(ByteReader& in, const wire::Forms& newest) {
  const auto refusal = decode_refusal(read<wire::Bytes>(in), newest);
  if (refusal) return Body(RefuseTxn{*refusal});
  return refusal.error().code == wire::ErrorCode::unimplemented ? refusal.error() : malformed();
}

wire::Result<Body> read_tree(ByteReader& in, const wire::Forms& newest) {
  auto txn = znode::decode_txn(in, newest);
  if (!txn) return txn.error();
  return Body(*std::move(txn));
}

wire::Result<Body> read_body(ByteReader& in, std::uint8_t version, const wire::Forms& newest) {
  switch (TransactionKind{in.integer<std::uint8_t>()}) {
    case TransactionKind::open: return read<OpenTxn>(in);
    case TransactionKind::move: return read<MoveTxn>(in);
    case TransactionKind::close: return read<CloseTxn>(in);
    case TransactionKind::refuse: return read_refusal(in, newest);
    case TransactionKind::tree: return read_tree(in, newest);
    case TransactionKind::level:
      if (version < transaction_with_level) return malformed();
      return Body(LevelTxn{{in.integer<std::uint32_t>()}});
  }
  return malformed();
}

}  // namespace

void encode(const Transaction& transaction, const wire::Forms& forms, wire::Bytes& out) {
  const bool sets_level = std::holds_alternative<LevelTxn>(transaction.body);
  ByteWriter writer(out);
  writer.integer(sets_level ? std::max(forms.transaction, transaction_with_level)
                            : forms.transaction);
  write(writer, transaction.session);
  write(writer, transaction.owner);
  write(writer, transaction.tag);
  write(writer, transaction.time);
  write(writer, transaction.number);
  std::visit([&](const auto& body) { write_body(body, forms, out); }, transaction.body);
}

std::optional<Origin> origin_of(std::string_view bytes) {
  ByteReader in(bytes);
  if (!is_known(in.integer<std::uint8_t>(), wire::newest_forms)) return std::nullopt;
  static_cast<void>(read<wire::SessionId>(in));
  const auto owner = read<Owner>(in);
  const auto tag = read<std::uint64_t>(in);
  if (in.failed()) return std::nullopt;
  return Origin{owner, tag};
}

wire::Result<Transaction> decode_transaction(std::string_view bytes, const wire::Forms& newest) {
  ByteReader in(bytes);
  const auto version = in.integer<std::uint8_t>();
  if (in.failed()) return malformed();
  if (!is_known(version, newest)) {
    return wire::unknown_version("a transaction", version);
  }

  Transaction transaction;
  transaction.session = read<wire::SessionId>(in);
  transaction.owner = read<Owner>(in);
  transaction.tag = read<std::uint64_t>(in);
  transaction.time = read<wire::TimeMs>(in);
  transaction.number = read<std::optional<std::int64_t>>(in);
  auto body = read_body(in, version, newest);
  if (!body) return body.error();
  if (!in.complete()) return malformed();
  transaction.body = *std::move(body);
  return transaction;
}

}  // namespace session
