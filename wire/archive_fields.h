#pragma once

#include <tuple>

#include "wire/archive.h"
#include "wire/records.h"
#include "wire/replies.h"
#include "wire/requests.h"

// The binary form of requests and replies, as the log, checkpoints and messages between servers
// have them. A new member changes the bytes: raise the version of every form that contains it.
namespace wire::archive {

template <>
inline constexpr auto fields<SessionId> = std::tuple(&SessionId::value);
template <>
inline constexpr auto fields<AclEntry> = std::tuple(&AclEntry::scheme, &AclEntry::id,
                                                    &AclEntry::perms);

template <>
inline constexpr auto fields<Identity> = std::tuple(&Identity::scheme, &Identity::id);
template <>
inline constexpr auto fields<SessionConsistency> = std::tuple();
template <>
inline constexpr auto fields<Linearizable> = std::tuple();
template <>
inline constexpr auto fields<AtLeast> = std::tuple(&AtLeast::zxid);
template <>
inline constexpr auto fields<ReadOptions> = std::tuple(&ReadOptions::consistency,
                                                       &ReadOptions::watch);

template <>
inline constexpr std::uint8_t kind<SessionConsistency> = 1;
template <>
inline constexpr std::uint8_t kind<Linearizable> = 2;
template <>
inline constexpr std::uint8_t kind<AtLeast> = 3;

template <>
inline constexpr auto fields<CreateRequest> =
    std::tuple(&CreateRequest::path, &CreateRequest::data, &CreateRequest::ephemeral,
               &CreateRequest::sequential, &CreateRequest::container, &CreateRequest::parents,
               &CreateRequest::ttl_ms, &CreateRequest::acl);
template <>
inline constexpr auto fields<SetRequest> = std::tuple(&SetRequest::path, &SetRequest::data,
                                                      &SetRequest::version, &SetRequest::create);
template <>
inline constexpr auto fields<DeleteRequest> = std::tuple(&DeleteRequest::path,
                                                         &DeleteRequest::version,
                                                         &DeleteRequest::recursive);
template <>
inline constexpr auto fields<SetAclRequest> = std::tuple(&SetAclRequest::path, &SetAclRequest::acl,
                                                         &SetAclRequest::version);
template <>
inline constexpr auto fields<CheckRequest> = std::tuple(&CheckRequest::path,
                                                        &CheckRequest::version);
template <>
inline constexpr auto fields<GetRequest> = std::tuple(&GetRequest::path, &GetRequest::read);
template <>
inline constexpr auto fields<ChildrenRequest> =
    std::tuple(&ChildrenRequest::path, &ChildrenRequest::with_stat, &ChildrenRequest::with_data,
               &ChildrenRequest::after, &ChildrenRequest::limit, &ChildrenRequest::read);
template <>
inline constexpr auto fields<MultiRequest> = std::tuple(&MultiRequest::ops);

template <>
inline constexpr std::uint8_t kind<CreateRequest> = 1;
template <>
inline constexpr std::uint8_t kind<SetRequest> = 2;
template <>
inline constexpr std::uint8_t kind<DeleteRequest> = 3;
template <>
inline constexpr std::uint8_t kind<SetAclRequest> = 4;
template <>
inline constexpr std::uint8_t kind<MultiRequest> = 5;
template <>
inline constexpr std::uint8_t kind<CheckRequest> = 6;
template <>
inline constexpr std::uint8_t kind<GetRequest> = 7;
template <>
inline constexpr std::uint8_t kind<ChildrenRequest> = 8;

// Replies of writes, as a session keeps them.
template <>
inline constexpr auto fields<Stat> = std::tuple(&Stat::czxid, &Stat::mzxid, &Stat::pzxid,
                                                &Stat::ctime, &Stat::mtime, &Stat::version,
                                                &Stat::cversion, &Stat::aversion,
                                                &Stat::ephemeral_owner, &Stat::data_length,
                                                &Stat::num_children, &Stat::ttl_ms,
                                                &Stat::container);
template <>
inline constexpr auto fields<EmptyReply> = std::tuple();
template <>
inline constexpr auto fields<CreateReply> = std::tuple(&CreateReply::path, &CreateReply::stat);
template <>
inline constexpr auto fields<SetReply> = std::tuple(&SetReply::stat);
template <>
inline constexpr auto fields<GetReply> = std::tuple(&GetReply::data, &GetReply::stat);
template <>
inline constexpr auto fields<Child> = std::tuple(&Child::name, &Child::stat, &Child::data);
template <>
inline constexpr auto fields<ChildrenReply> = std::tuple(&ChildrenReply::children,
                                                         &ChildrenReply::with_details,
                                                         &ChildrenReply::stat,
                                                         &ChildrenReply::more);
template <>
inline constexpr auto fields<AclReply> = std::tuple(&AclReply::acl, &AclReply::stat);

template <>
inline constexpr std::uint8_t kind<EmptyReply> = 1;
template <>
inline constexpr std::uint8_t kind<CreateReply> = 2;
template <>
inline constexpr std::uint8_t kind<SetReply> = 3;
template <>
inline constexpr std::uint8_t kind<GetReply> = 4;
template <>
inline constexpr std::uint8_t kind<ChildrenReply> = 5;
template <>
inline constexpr std::uint8_t kind<AclReply> = 6;

}  // namespace wire::archive
