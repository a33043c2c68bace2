#pragma once

#include "wire/bytes.h"
#include "zab/credentials.h"
#include "zab/history.h"

// The bytes of the protocol's words, the same in the log and on the links.
namespace zab_bytes {

inline void put(const zab::Point& point, wire::ByteWriter& out) {
  out.zxid(point.zxid);
  out.integer(point.hash.low);
  out.integer(point.hash.high);
}

inline void put(const zab::ClusterId& id, wire::ByteWriter& out) {
  out.integer(id.high);
  out.integer(id.low);
}

[[nodiscard]] inline zab::Point take_point(wire::ByteReader& in) {
  const wire::Zxid zxid = in.zxid();
  const auto low = in.integer<std::uint64_t>();
  return {zxid, {low, in.integer<std::uint64_t>()}};
}

[[nodiscard]] inline zab::ClusterId take_cluster_id(wire::ByteReader& in) {
  const auto high = in.integer<std::uint64_t>();
  return {high, in.integer<std::uint64_t>()};
}

}  // namespace zab_bytes
