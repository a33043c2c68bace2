#include "znode/txn.h"

#include <cstdint>
#include <tuple>

#include "wire/archive.h"
#include "wire/unknown_version.h"
#include "znode/archive_fields.h"

template <>
inline constexpr auto wire::archive::fields<znode::CreateTxn> =
    std::tuple(&znode::CreateTxn::path, &znode::CreateTxn::parents, &znode::CreateTxn::data,
               &znode::CreateTxn::lifetime, &znode::CreateTxn::acl);
template <>
inline constexpr auto wire::archive::fields<znode::SetTxn> = std::tuple(&znode::SetTxn::path,
                                                                        &znode::SetTxn::data,
                                                                        &znode::SetTxn::version,
                                                                        &znode::SetTxn::creates,
                                                                        &znode::SetTxn::parents);
template <>
inline constexpr auto wire::archive::fields<znode::DeleteTxn> =
    std::tuple(&znode::DeleteTxn::path, &znode::DeleteTxn::descendants);
template <>
inline constexpr auto wire::archive::fields<znode::DeleteManyTxn> =
    std::tuple(&znode::DeleteManyTxn::paths);
template <>
inline constexpr auto wire::archive::fields<znode::CleanupTxn> =
    std::tuple(&znode::CleanupTxn::session, &znode::CleanupTxn::count);
template <>
inline constexpr auto wire::archive::fields<znode::SetAclTxn> =
    std::tuple(&znode::SetAclTxn::path, &znode::SetAclTxn::acl, &znode::SetAclTxn::aversion);
template <>
inline constexpr auto wire::archive::fields<znode::ChildrenTxn> =
    std::tuple(&znode::ChildrenTxn::request, &znode::ChildrenTxn::identities);
template <>
inline constexpr auto wire::archive::fields<znode::CheckTxn> = std::tuple();
template <>
inline constexpr auto wire::archive::fields<znode::MultiTxn> = std::tuple(&znode::MultiTxn::ops);

// 7 is GetRequest, a read of a multi: see wire/archive_fields.h.
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::CreateTxn> = 1;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::SetTxn> = 2;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::DeleteTxn> = 3;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::DeleteManyTxn> = 4;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::MultiTxn> = 5;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::CheckTxn> = 6;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::ChildrenTxn> = 9;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::CleanupTxn> = 10;
template <>
inline constexpr std::uint8_t wire::archive::kind<znode::SetAclTxn> = 11;

namespace znode {
namespace {

constexpr std::uint8_t known_version = wire::newest_forms.tree_transaction;
static_assert(known_version == 2, "each version has a reader");

}  // namespace

void encode(const Txn& txn, const wire::Forms& forms, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(forms.tree_transaction);
  wire::archive::write(writer, txn);
}

wire::Result<Txn> decode_txn(wire::ByteReader& in) {
  const auto version = in.integer<std::uint8_t>();
  if (!in.failed() && version != known_version) {
    return wire::unknown_version("a transaction of the tree", version);
  }
  Txn txn = wire::archive::read<Txn>(in);
  if (in.failed()) {
    return wire::Error{wire::ErrorCode::marshalling_error,
                       "a transaction is truncated or malformed"};
  }
  return txn;
}

}  // namespace znode
