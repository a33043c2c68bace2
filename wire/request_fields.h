#pragma once

#include <string_view>
#include <tuple>

#include "wire/field.h"
#include "wire/requests.h"

// The fields of requests, and of the records that they contain.
namespace wire {

template <>
inline constexpr auto fields_of<AclEntry> = std::tuple(
    required("scheme", &AclEntry::scheme),
    // Scheme `auth` means the identities of the caller, so it needs no id.
    defaulted("id", &AclEntry::id, [](const AclEntry& entry) { return entry.scheme != "auth"; }),
    perms("perms", &AclEntry::perms));

template <>
inline constexpr auto fields_of<ReadOptions> = std::tuple(optional("consistency",
                                                                   &ReadOptions::consistency),
                                                          optional("watch", &ReadOptions::watch));

template <>
inline constexpr auto fields_of<AtLeast> = std::tuple(required("atLeast", &AtLeast::zxid));

template <>
inline constexpr auto fields_of<TurnOptions> = std::tuple(optional("limit", &TurnOptions::limit),
                                                          optional("among", &TurnOptions::among));

template <>
inline constexpr auto fields_of<CreateRequest> = std::tuple(
    required("path", &CreateRequest::path), data(&CreateRequest::data, Presence::defaulted),
    optional("ephemeral", &CreateRequest::ephemeral),
    optional("sequential", &CreateRequest::sequential),
    optional("container", &CreateRequest::container), optional("parents", &CreateRequest::parents),
    optional("ttlMs", &CreateRequest::ttl_ms), optional("acl", &CreateRequest::acl),
    optional("turn", &CreateRequest::turn));

template <>
inline constexpr auto fields_of<GetRequest> = std::tuple(required("path", &GetRequest::path),
                                                         embedded(&GetRequest::read));

template <>
inline constexpr auto fields_of<ExistsRequest> = std::tuple(required("path", &ExistsRequest::path),
                                                            embedded(&ExistsRequest::read));

template <>
inline constexpr auto fields_of<SetRequest> =
    std::tuple(required("path", &SetRequest::path), data(&SetRequest::data, Presence::required),
               optional("version", &SetRequest::version), optional("create", &SetRequest::create));

template <>
inline constexpr auto fields_of<DeleteRequest> =
    std::tuple(required("path", &DeleteRequest::path), optional("version", &DeleteRequest::version),
               optional("recursive", &DeleteRequest::recursive));

template <>
inline constexpr auto fields_of<ChildrenRequest> = std::tuple(
    required("path", &ChildrenRequest::path), optional("withStat", &ChildrenRequest::with_stat),
    optional("withData", &ChildrenRequest::with_data), optional("after", &ChildrenRequest::after),
    optional("before", &ChildrenRequest::before), optional("reverse", &ChildrenRequest::reverse),
    optional("order", &ChildrenRequest::order), optional("limit", &ChildrenRequest::limit),
    embedded(&ChildrenRequest::read));

template <>
inline constexpr auto fields_of<CountRequest> = std::tuple(required("path", &CountRequest::path),
                                                           embedded(&CountRequest::read));

template <>
inline constexpr auto fields_of<EphemeralsRequest> =
    std::tuple(defaulted("prefix", &EphemeralsRequest::prefix));

template <>
inline constexpr auto fields_of<GetAclRequest> = std::tuple(required("path", &GetAclRequest::path));

template <>
inline constexpr auto fields_of<SetAclRequest> = std::tuple(required("path", &SetAclRequest::path),
                                                            required("acl", &SetAclRequest::acl),
                                                            optional("version",
                                                                     &SetAclRequest::version));

template <>
inline constexpr auto fields_of<NodeTests> = std::tuple(
    optional("exists", &NodeTests::exists), optional("czxid", &NodeTests::czxid),
    optional("mzxid", &NodeTests::mzxid), optional("ephemeralOwner", &NodeTests::ephemeral_owner),
    data(&NodeTests::data, Presence::optional));

template <>
inline constexpr auto fields_of<CheckRequest> = std::tuple(required("path", &CheckRequest::path),
                                                           optional("version",
                                                                    &CheckRequest::version),
                                                           embedded(&CheckRequest::tests));

template <>
inline constexpr auto fields_of<Condition> = std::tuple(required("path", &Condition::path),
                                                        optional("version", &Condition::version),
                                                        embedded(&Condition::tests));

// The conditions of a request: in its envelope, because only a whole write has them.
inline constexpr std::string_view conditions_name = "if";

template <>
inline constexpr auto fields_of<MultiRequest> =
    std::tuple(required("ops", &MultiRequest::ops), optional("else", &MultiRequest::otherwise));

template <>
inline constexpr auto fields_of<SyncRequest> = std::tuple(required("path", &SyncRequest::path));

template <>
inline constexpr auto fields_of<WatchRequest> = std::tuple(
    required("path", &WatchRequest::path), defaulted("scope", &WatchRequest::scope),
    optional("once", &WatchRequest::once), optional("withData", &WatchRequest::with_data),
    optional("from", &WatchRequest::from), embedded(&WatchRequest::turn));

template <>
inline constexpr auto fields_of<UnwatchRequest> = std::tuple(required("watch",
                                                                      &UnwatchRequest::watch));

template <>
inline constexpr auto fields_of<AuthRequest> = std::tuple(required("scheme", &AuthRequest::scheme),
                                                          required("token", &AuthRequest::token));

template <>
inline constexpr auto fields_of<WhoamiRequest> = std::tuple();
template <>
inline constexpr auto fields_of<PingRequest> = std::tuple();
template <>
inline constexpr auto fields_of<CloseRequest> = std::tuple();

template <>
inline constexpr auto fields_of<ConnectRequest> = std::tuple(
    optional("timeoutMs", &ConnectRequest::timeout_ms),
    optional("session", &ConnectRequest::session),
    optional("password", &ConnectRequest::password,
             [](const ConnectRequest& connect) { return connect.session.has_value(); }),
    optional("lastZxid", &ConnectRequest::last_zxid), optional("auth", &ConnectRequest::auth),
    optional("readOnly", &ConnectRequest::read_only), optional("dedup", &ConnectRequest::dedup),
    optional("batch", &ConnectRequest::batch));

// The value of `op`.
template <class T>
inline constexpr std::string_view op_name;
template <>
inline constexpr std::string_view op_name<CreateRequest> = "create";
template <>
inline constexpr std::string_view op_name<GetRequest> = "get";
template <>
inline constexpr std::string_view op_name<ExistsRequest> = "exists";
template <>
inline constexpr std::string_view op_name<SetRequest> = "set";
template <>
inline constexpr std::string_view op_name<DeleteRequest> = "delete";
template <>
inline constexpr std::string_view op_name<ChildrenRequest> = "children";
template <>
inline constexpr std::string_view op_name<CountRequest> = "count";
template <>
inline constexpr std::string_view op_name<EphemeralsRequest> = "ephemerals";
template <>
inline constexpr std::string_view op_name<GetAclRequest> = "getAcl";
template <>
inline constexpr std::string_view op_name<SetAclRequest> = "setAcl";
template <>
inline constexpr std::string_view op_name<CheckRequest> = "check";
template <>
inline constexpr std::string_view op_name<MultiRequest> = "multi";
template <>
inline constexpr std::string_view op_name<SyncRequest> = "sync";
template <>
inline constexpr std::string_view op_name<WatchRequest> = "watch";
template <>
inline constexpr std::string_view op_name<UnwatchRequest> = "unwatch";
template <>
inline constexpr std::string_view op_name<AuthRequest> = "auth";
template <>
inline constexpr std::string_view op_name<WhoamiRequest> = "whoami";
template <>
inline constexpr std::string_view op_name<PingRequest> = "ping";
template <>
inline constexpr std::string_view op_name<CloseRequest> = "close";
template <>
inline constexpr std::string_view op_name<ConnectRequest> = "connect";

}  // namespace wire
