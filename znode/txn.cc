#include "znode/txn.h"

#include <cstdint>
#include <tuple>

#include "wire/archive.h"
#include "wire/unknown_version.h"
#include "znode/archive_fields.h"
#include "znode/path.h"
#include "znode/quota.h"

template <>
struct wire::archive::Form<znode::SharedAcl> {
  static void write(ByteWriter& out, const znode::SharedAcl& acl) {
    out.boolean(!acl.is_open());
    if (!acl.is_open()) archive::write(out, acl.list());
  }
  static znode::SharedAcl read(ByteReader& in) {
    return in.boolean() ? znode::SharedAcl(archive::read<Acl>(in)) : znode::SharedAcl();
  }
};

// The lists below are those of version 2.
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

using wire::ByteReader;
using wire::ByteWriter;
using wire::archive::read;
using wire::archive::read_added;
using wire::archive::write;
using wire::archive::write_added;

constexpr std::uint8_t oldest_version = 2;
constexpr std::uint8_t once_version = 3;    // what several operations need is written once
constexpr std::uint8_t branch_version = 4;  // the branch of a multi, and the bounds of its lists
static_assert(wire::newest_forms.tree_transaction == branch_version, "each version has a reader");

// The byte before an ACL, or identities, in version 3.
enum class Shared : std::uint8_t { none = 0, here = 1, as_before = 2 };

// Version 3 and later, operation by operation.
class OnceWriter {
 public:
  OnceWriter(ByteWriter& out, std::uint8_t version) : out_(out), version_(version) {}

  template <class Op>
  void operator()(const Op& op) {
    out_.integer(wire::archive::kind<Op>);
    put(op);
  }

 private:
  void put(const CreateTxn& txn) {
    write(out_, txn.path);
    put_parents(txn.parents);
    write(out_, txn.data);
    write(out_, txn.lifetime);
    put_shared(!txn.acl.is_open(), txn.acl, acl_);
  }
  void put(const SetTxn& txn) {
    write(out_, txn.path);
    write(out_, txn.data);
    write(out_, txn.version);
    write(out_, txn.creates);
    put_parents(txn.parents);
  }
  void put(const ChildrenTxn& txn) {
    write(out_, txn.request);
    if (version_ >= branch_version) {
      write_added(out_, txn.request);
    }
    put_shared(!txn.identities.list().empty(), txn.identities, identities_);
  }
  void put(const MultiTxn& txn) {
    write(out_, txn.list_bytes_max);
    write(out_, txn.keeps_receipt);
    if (version_ >= branch_version) write(out_, txn.branch);
    out_.integer(static_cast<std::uint32_t>(txn.ops.size()));
    for (const MultiTxnOp& op : txn.ops) std::visit(*this, op);
  }
  void put(const auto& other) { write(out_, other); }

  // They are the node's nearest ancestors: their number is enough.
  void put_parents(const std::vector<std::string>& parents) {
    const bool has_stats = !parents.empty() && is_stats(parents.back());
    out_.boolean(has_stats);
    out_.integer(static_cast<std::uint8_t>(parents.size() - (has_stats ? 1 : 0)));
  }
  template <class T>
  void put_shared(bool is_there, const T& value, std::optional<T>& last) {
    const Shared how = !is_there                ? Shared::none
                       : last && *last == value ? Shared::as_before
                                                : Shared::here;
    out_.integer(static_cast<std::uint8_t>(how));
    if (how != Shared::here) return;
    write(out_, value);
    last = value;
  }

  ByteWriter& out_;
  std::uint8_t version_;
  std::optional<SharedAcl> acl_;
  std::optional<Identities> identities_;
};

class OnceReader {
 public:
  OnceReader(ByteReader& in, std::uint8_t version) : in_(in), version_(version) {}

  // One of the alternatives of `Variant`.
  template <class Variant>
  Variant any() {
    Variant value;
    const auto kind = in_.integer<std::uint8_t>();
    if (!any_of(kind, value)) in_.fail();
    return value;
  }

 private:
  template <class... Ops>
  bool any_of(std::uint8_t kind, std::variant<Ops...>& value) {
    return ((kind == wire::archive::kind<Ops> && (value = take(Ops()), true)) || ...);
  }

  CreateTxn take(CreateTxn txn) {
    txn.path = read<std::string>(in_);
    txn.parents = take_parents(txn.path);
    txn.data = read<wire::Bytes>(in_);
    txn.lifetime = read<Lifetime>(in_);
    txn.acl = take_shared(acl_);
    return txn;
  }
  SetTxn take(SetTxn txn) {
    txn.path = read<std::string>(in_);
    txn.data = read<wire::Bytes>(in_);
    txn.version = read<std::int32_t>(in_);
    txn.creates = read<bool>(in_);
    txn.parents = take_parents(txn.path);
    return txn;
  }
  ChildrenTxn take(ChildrenTxn txn) {
    txn.request = read<wire::ChildrenRequest>(in_);
    if (version_ >= branch_version) {
      read_added(in_, txn.request);
    }
    txn.identities = take_shared(identities_);
    return txn;
  }
  MultiTxn take(MultiTxn txn) {
    txn.list_bytes_max = read<std::uint32_t>(in_);
    txn.keeps_receipt = read<bool>(in_);
    if (version_ >= branch_version) txn.branch = read<std::optional<wire::Branch>>(in_);
    for (auto left = in_.integer<std::uint32_t>(); left > 0 && !in_.failed(); --left) {
      txn.ops.push_back(any<MultiTxnOp>());
    }
    return txn;
  }
  template <class Other>
  Other take(const Other&) {
    return read<Other>(in_);
  }

  std::vector<std::string> take_parents(std::string_view path) {
    const bool has_stats = in_.boolean();
    std::vector<std::string> parents(in_.integer<std::uint8_t>());
    std::string_view at = path;
    for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent) {
      if (!at.starts_with('/') || at.size() < 2) in_.fail();
      if (in_.failed()) return {};
      *parent = at = parent_of(at);
    }
    if (has_stats) parents.push_back(child_path(parent_of(path), stats_name));
    return parents;
  }
  template <class T>
  T take_shared(std::optional<T>& last) {
    const Shared how{in_.integer<std::uint8_t>()};
    if (how == Shared::none) return T();
    if (how == Shared::here) last = read<T>(in_);
    if (how > Shared::as_before || !last) in_.fail();
    return last.value_or(T());
  }

  ByteReader& in_;
  std::uint8_t version_;
  std::optional<SharedAcl> acl_;
  std::optional<Identities> identities_;
};

}  // namespace

void encode(const Txn& txn, const wire::Forms& forms, wire::Bytes& out) {
  ByteWriter writer(out);
  writer.integer(forms.tree_transaction);
  if (forms.tree_transaction < once_version) return write(writer, txn);
  OnceWriter once(writer, forms.tree_transaction);
  std::visit(once, txn);
}

wire::Result<Txn> decode_txn(ByteReader& in, const wire::Forms& newest) {
  const auto version = in.integer<std::uint8_t>();
  if (!in.failed() && (version < oldest_version || version > newest.tree_transaction)) {
    return wire::unknown_version("a transaction of the tree", version);
  }
  Txn txn = version < once_version ? read<Txn>(in) : OnceReader(in, version).any<Txn>();
  if (in.failed()) {
    return wire::Error{wire::ErrorCode::marshalling_error,
                       "a transaction is truncated or malformed"};
  }
  return txn;
}

}  // namespace znode
