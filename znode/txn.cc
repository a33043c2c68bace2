#include "znode/txn.h"

#include <cstdint>
#include <tuple>

#include "znode/archive.h"
#include "znode/request_fields.h"

namespace znode {
namespace archive {

template <>
struct detail::Form<Lifetime> {
  static void put(wire::ByteWriter& out, const Lifetime& lifetime) {
    out.integer(static_cast<std::uint8_t>(lifetime.kind()));
    out.integer(lifetime.value());
  }
  static Lifetime take(wire::ByteReader& in) {
    const auto kind = in.integer<std::uint8_t>();
    const auto value = in.integer<std::uint64_t>();
    if (kind > static_cast<std::uint8_t>(Lifetime::Kind::ttl)) fail(in);
    return {static_cast<Lifetime::Kind>(kind), value};
  }
};

template <>
inline constexpr auto fields<CreateTxn> = std::tuple(&CreateTxn::path, &CreateTxn::parents,
                                                     &CreateTxn::data, &CreateTxn::lifetime,
                                                     &CreateTxn::acl);
template <>
inline constexpr auto fields<SetTxn> = std::tuple(&SetTxn::path, &SetTxn::data, &SetTxn::version,
                                                  &SetTxn::creates, &SetTxn::parents);
template <>
inline constexpr auto fields<DeleteTxn> = std::tuple(&DeleteTxn::path, &DeleteTxn::descendants);
template <>
inline constexpr auto fields<DeleteManyTxn> = std::tuple(&DeleteManyTxn::paths);
template <>
inline constexpr auto fields<CleanupTxn> = std::tuple(&CleanupTxn::session, &CleanupTxn::count);
template <>
inline constexpr auto fields<SetAclTxn> = std::tuple(&SetAclTxn::path, &SetAclTxn::acl,
                                                     &SetAclTxn::aversion);
template <>
inline constexpr auto fields<ChildrenTxn> = std::tuple(&ChildrenTxn::request,
                                                       &ChildrenTxn::identities);
template <>
inline constexpr auto fields<CheckTxn> = std::tuple();
template <>
inline constexpr auto fields<MultiTxn> = std::tuple(&MultiTxn::ops);

// 7 is a read of a multi, as in request_fields.h.
template <>
inline constexpr std::uint8_t kind<CreateTxn> = 1;
template <>
inline constexpr std::uint8_t kind<SetTxn> = 2;
template <>
inline constexpr std::uint8_t kind<DeleteTxn> = 3;
template <>
inline constexpr std::uint8_t kind<DeleteManyTxn> = 4;
template <>
inline constexpr std::uint8_t kind<MultiTxn> = 5;
template <>
inline constexpr std::uint8_t kind<CheckTxn> = 6;
template <>
inline constexpr std::uint8_t kind<ChildrenTxn> = 9;
template <>
inline constexpr std::uint8_t kind<CleanupTxn> = 10;
template <>
inline constexpr std::uint8_t kind<SetAclTxn> = 11;

}  // namespace archive

namespace {

constexpr std::uint8_t form = 2;

}  // namespace

void encode(const Txn& txn, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(form);
  archive::put(writer, txn);
}

wire::Result<Txn> decode_txn(wire::ByteReader& in) {
  const auto version = in.integer<std::uint8_t>();
  if (!in.failed() && version != form) {
    return wire::Error{wire::ErrorCode::marshalling_error,
                       "a transaction of form " + std::to_string(version) + " is not known"};
  }
  Txn txn = archive::take<Txn>(in);
  if (in.failed()) {
    return wire::Error{wire::ErrorCode::marshalling_error,
                       "a transaction is cut short or malformed"};
  }
  return txn;
}

}  // namespace znode
