#pragma once

#include <tuple>

#include "wire/field.h"
#include "wire/replies.h"
#include "wire/request_fields.h"

// The fields of replies and events, and of the records that they contain.
namespace wire {

template <>
inline constexpr auto fields_of<Stat> = std::tuple(
    required("czxid", &Stat::czxid), required("mzxid", &Stat::mzxid),
    required("pzxid", &Stat::pzxid), required("ctime", &Stat::ctime),
    required("mtime", &Stat::mtime), required("version", &Stat::version),
    required("cversion", &Stat::cversion), required("aversion", &Stat::aversion),
    required("ephemeralOwner", &Stat::ephemeral_owner), required("dataLength", &Stat::data_length),
    required("numChildren", &Stat::num_children), optional("ttlMs", &Stat::ttl_ms),
    optional("container", &Stat::container));

template <>
inline constexpr auto fields_of<Found> = std::tuple(required("exists", &Found::exists),
                                                    required("version", &Found::version),
                                                    required("ephemeralOwner",
                                                             &Found::ephemeral_owner));

template <>
inline constexpr auto fields_of<Unmet> = std::tuple(optional("condition", &Unmet::condition),
                                                    required("found", &Unmet::found));

template <>
inline constexpr auto fields_of<Identity> = std::tuple(required("scheme", &Identity::scheme),
                                                       required("id", &Identity::id));

template <>
inline constexpr auto fields_of<EmptyReply> = std::tuple();
template <>
inline constexpr auto fields_of<PongReply> = std::tuple(defaulted("validMs", &PongReply::valid_ms));
template <>
inline constexpr auto fields_of<ClosedReply> = std::tuple();

template <>
inline constexpr auto fields_of<CreateReply> = std::tuple(required("path", &CreateReply::path),
                                                          required("stat", &CreateReply::stat),
                                                          optional("turn", &CreateReply::turn));

template <>
inline constexpr auto fields_of<GetReply> = std::tuple(data(&GetReply::data, Presence::required),
                                                       required("stat", &GetReply::stat));

template <>
inline constexpr auto fields_of<ExistsReply> = std::tuple(nullable("stat", &ExistsReply::stat));

template <>
inline constexpr auto fields_of<SetReply> = std::tuple(required("stat", &SetReply::stat));

template <>
inline constexpr auto fields_of<Child> = std::tuple(required("name", &Child::name),
                                                    data(&Child::data, Presence::optional),
                                                    optional("stat", &Child::stat));

template <>
inline constexpr auto fields_of<ChildrenReply> =
    std::tuple(required("children", &ChildrenReply::children),
               required("stat", &ChildrenReply::stat), defaulted("more", &ChildrenReply::more));

template <>
inline constexpr auto fields_of<CountReply> = std::tuple(required("count", &CountReply::count));

template <>
inline constexpr auto fields_of<EphemeralsReply> = std::tuple(required("paths",
                                                                       &EphemeralsReply::paths));

template <>
inline constexpr auto fields_of<AclReply> = std::tuple(required("acl", &AclReply::acl),
                                                       required("stat", &AclReply::stat));

template <>
inline constexpr auto fields_of<WatchReply> = std::tuple(required("watch", &WatchReply::watch),
                                                         nullable("stat", &WatchReply::stat),
                                                         optional("turn", &WatchReply::turn));

template <>
inline constexpr auto fields_of<WhoamiReply> = std::tuple(required("identities",
                                                                   &WhoamiReply::identities));

template <>
inline constexpr auto fields_of<WatchEvent> =
    std::tuple(required("watch", &WatchEvent::watch), required("event", &WatchEvent::kind),
               optional("path", &WatchEvent::path,
                        [](const WatchEvent& event) { return event.kind != EventKind::resync; }),
               required("zxid", &WatchEvent::zxid), data(&WatchEvent::data, Presence::optional),
               optional("stat", &WatchEvent::stat));

template <>
inline constexpr auto fields_of<ConnectedReply> = std::tuple(
    optional("id", &ConnectedReply::id), required("session", &ConnectedReply::session),
    required("password", &ConnectedReply::password),
    required("timeoutMs", &ConnectedReply::timeout_ms),
    defaulted("validMs", &ConnectedReply::valid_ms), required("server", &ConnectedReply::server),
    required("role", &ConnectedReply::role), required("zxid", &ConnectedReply::zxid),
    required("resumed", &ConnectedReply::resumed), optional("readOnly", &ConnectedReply::read_only),
    defaulted("servers", &ConnectedReply::servers));

template <>
inline constexpr auto fields_of<ConnectRefused> = std::tuple(optional("id", &ConnectRefused::id),
                                                             optional("zxid",
                                                                      &ConnectRefused::zxid),
                                                             embedded(&ConnectRefused::error));

template <>
inline constexpr auto fields_of<Expired> = std::tuple();
template <>
inline constexpr auto fields_of<GoAway> = std::tuple(required("reason", &GoAway::reason));

}  // namespace wire
