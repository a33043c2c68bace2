#pragma once

#include <tuple>
#include <vector>

#include "wire/requests.h"
#include "znode/archive.h"
#include "znode/identity.h"

// The bytes of requests, as they stand in transactions and as servers forward them.
namespace znode::archive {

template <>
inline constexpr auto fields<wire::AclEntry> = std::tuple(&wire::AclEntry::scheme,
                                                          &wire::AclEntry::id,
                                                          &wire::AclEntry::perms);

template <>
inline constexpr auto fields<wire::Identity> = std::tuple(&wire::Identity::scheme,
                                                          &wire::Identity::id);
template <>
struct detail::Form<Identities> {
  static void put(wire::ByteWriter& out, const Identities& identities) {
    archive::put(out, identities.list());
  }
  static Identities take(wire::ByteReader& in) {
    return Identities::of(archive::take<std::vector<wire::Identity>>(in));
  }
};

template <>
inline constexpr auto fields<wire::SessionConsistency> = std::tuple();
template <>
inline constexpr auto fields<wire::Linearizable> = std::tuple();
template <>
inline constexpr auto fields<wire::AtLeast> = std::tuple(&wire::AtLeast::zxid);
template <>
inline constexpr auto fields<wire::ReadOptions> = std::tuple(&wire::ReadOptions::consistency,
                                                             &wire::ReadOptions::watch);

template <>
inline constexpr std::uint8_t kind<wire::SessionConsistency> = 1;
template <>
inline constexpr std::uint8_t kind<wire::Linearizable> = 2;
template <>
inline constexpr std::uint8_t kind<wire::AtLeast> = 3;

template <>
inline constexpr auto fields<wire::CreateRequest> = std::tuple(
    &wire::CreateRequest::path, &wire::CreateRequest::data, &wire::CreateRequest::ephemeral,
    &wire::CreateRequest::sequential, &wire::CreateRequest::container,
    &wire::CreateRequest::parents, &wire::CreateRequest::ttl_ms, &wire::CreateRequest::acl);
template <>
inline constexpr auto fields<wire::SetRequest> = std::tuple(&wire::SetRequest::path,
                                                            &wire::SetRequest::data,
                                                            &wire::SetRequest::version,
                                                            &wire::SetRequest::create);
template <>
inline constexpr auto fields<wire::DeleteRequest> = std::tuple(&wire::DeleteRequest::path,
                                                               &wire::DeleteRequest::version,
                                                               &wire::DeleteRequest::recursive);
template <>
inline constexpr auto fields<wire::SetAclRequest> = std::tuple(&wire::SetAclRequest::path,
                                                               &wire::SetAclRequest::acl,
                                                               &wire::SetAclRequest::version);
template <>
inline constexpr auto fields<wire::CheckRequest> = std::tuple(&wire::CheckRequest::path,
                                                              &wire::CheckRequest::version);
template <>
inline constexpr auto fields<wire::GetRequest> = std::tuple(&wire::GetRequest::path,
                                                            &wire::GetRequest::read);
template <>
inline constexpr auto fields<wire::ChildrenRequest> = std::tuple(&wire::ChildrenRequest::path,
                                                                 &wire::ChildrenRequest::with_stat,
                                                                 &wire::ChildrenRequest::with_data,
                                                                 &wire::ChildrenRequest::after,
                                                                 &wire::ChildrenRequest::limit,
                                                                 &wire::ChildrenRequest::read);
template <>
inline constexpr auto fields<wire::MultiRequest> = std::tuple(&wire::MultiRequest::ops);

template <>
inline constexpr std::uint8_t kind<wire::CreateRequest> = 1;
template <>
inline constexpr std::uint8_t kind<wire::SetRequest> = 2;
template <>
inline constexpr std::uint8_t kind<wire::DeleteRequest> = 3;
template <>
inline constexpr std::uint8_t kind<wire::SetAclRequest> = 4;
template <>
inline constexpr std::uint8_t kind<wire::MultiRequest> = 5;
template <>
inline constexpr std::uint8_t kind<wire::CheckRequest> = 6;
template <>
inline constexpr std::uint8_t kind<wire::GetRequest> = 7;
template <>
inline constexpr std::uint8_t kind<wire::ChildrenRequest> = 8;

}  // namespace znode::archive
