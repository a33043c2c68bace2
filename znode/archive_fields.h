#pragma once

#include <vector>

#include "wire/archive.h"
#include "wire/archive_fields.h"
#include "znode/identity.h"
#include "znode/node.h"

// The binary form of the structs that transactions, stored nodes and forwarded commands share.

template <>
struct wire::archive::Form<znode::Identities> {
  static void write(ByteWriter& out, const znode::Identities& identities) {
    archive::write(out, identities.list());
  }
  static znode::Identities read(ByteReader& in) {
    return znode::Identities::of(archive::read<std::vector<Identity>>(in));
  }
};

template <>
inline constexpr auto wire::archive::greatest<znode::Lifetime::Kind> = znode::Lifetime::Kind::ttl;

template <>
struct wire::archive::Form<znode::Lifetime> {
  static void write(ByteWriter& out, const znode::Lifetime& lifetime) {
    archive::write(out, lifetime.kind());
    out.integer(lifetime.value());
  }
  static znode::Lifetime read(ByteReader& in) {
    const auto kind = archive::read<znode::Lifetime::Kind>(in);
    return {kind, in.integer<std::uint64_t>()};
  }
};
