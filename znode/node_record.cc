#include "znode/node_record.h"

#include <string>
#include <utility>

#include "wire/archive.h"
#include "znode/acl.h"
#include "znode/archive_fields.h"

namespace znode {
namespace {

// The first byte of a stored node: the version of the format, which is on disk.
constexpr std::uint8_t record_version = 1;

// The size of everything but the name, the data and an ACL that is not open.
constexpr std::size_t fixed_bytes = 96;

}  // namespace

wire::Bytes encode(const Node& node, std::uint8_t form) {
  wire::Bytes bytes;
  bytes.reserve(fixed_bytes + node.name().size() + node.data().size());
  wire::ByteWriter out(bytes);
  out.integer(form);
  out.integer(node.parent() ? node.parent()->serial() : std::uint64_t{0});
  out.zxid(node.czxid);
  out.zxid(node.mzxid);
  out.zxid(node.pzxid);
  out.integer(node.ctime);
  out.integer(node.mtime);
  out.integer(node.version);
  out.integer(node.aversion);
  out.integer(node.creations);
  wire::archive::write(out, node.lifetime());
  out.boolean(node.acl().is_open());
  if (!node.acl().is_open()) wire::archive::write(out, node.acl().list());
  out.string(node.name());
  out.string(node.data());
  return bytes;
}

wire::Result<StoredNode> decode_node(std::string_view bytes) {
  const wire::Error malformed{wire::ErrorCode::marshalling_error, "a stored node is malformed"};
  wire::ByteReader in(bytes);
  const auto found = in.integer<std::uint8_t>();
  if (!in.failed() && found != record_version) {
    return wire::Error{wire::ErrorCode::unimplemented,
                       "a stored node has unknown version " + std::to_string(found)};
  }
  StoredNode node;
  node.parent = in.integer<std::uint64_t>();
  node.fields.czxid = in.zxid();
  node.fields.mzxid = in.zxid();
  node.fields.pzxid = in.zxid();
  node.fields.ctime = in.integer<wire::TimeMs>();
  node.fields.mtime = in.integer<wire::TimeMs>();
  node.fields.version = in.integer<std::int32_t>();
  node.fields.aversion = in.integer<std::int32_t>();
  node.fields.creations = in.integer<std::int32_t>();
  node.lifetime = wire::archive::read<Lifetime>(in);
  if (!in.boolean()) {
    wire::Acl list = wire::archive::read<wire::Acl>(in);
    if (list.empty() || list == wire::open_acl()) return malformed;
    node.acl = SharedAcl(std::move(list));
  }
  node.name = in.string();
  node.data = in.string();
  if (!in.complete()) return malformed;
  return node;
}

}  // namespace znode
