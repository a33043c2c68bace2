#pragma once

#include <tuple>

#include "wire/archive.h"
#include "wire/reply_fields.h"
#include "wire/request_fields.h"

// The binary form of requests, replies and their records: the members in the order of their field
// lists. The log, checkpoints and servers of other versions have these bytes. If you change the
// list of a struct that has a `kind` here, raise the version of every form that contains it.
// (tests/wire/archive_test.cc shows which bytes they are.)
namespace wire::archive {

template <>
inline constexpr auto greatest<Branch> = Branch::otherwise;

namespace detail {

template <class S, class M, As as>
constexpr M S::*member_of(const Field<S, M, as>& field) {
  return field.member;
}
template <class S, class M>
constexpr M S::*member_of(const Embedded<S, M>& field) {
  return field.member;
}

}  // namespace detail

template <HasFields T>
inline constexpr auto fields<T> = std::apply(
    [](const auto&... field) { return std::tuple(detail::member_of(field)...); }, fields_of<T>);

// Those in another order, or with other members, than on the wire. Members that are missing here
// are newer than some forms: a form that has them writes them behind the whole command or
// transaction. Code that writes only these must refuse a struct that has the others.
template <>
inline constexpr auto fields<CheckRequest> = std::tuple(&CheckRequest::path,
                                                        &CheckRequest::version);
template <>
inline constexpr auto fields<ChildrenRequest> =
    std::tuple(&ChildrenRequest::path, &ChildrenRequest::with_stat, &ChildrenRequest::with_data,
               &ChildrenRequest::after, &ChildrenRequest::limit, &ChildrenRequest::read);
// A turn is no part of a command or of a kept result: the server of the client tells it.
template <>
inline constexpr auto fields<CreateRequest> =
    std::tuple(&CreateRequest::path, &CreateRequest::data, &CreateRequest::ephemeral,
               &CreateRequest::sequential, &CreateRequest::container, &CreateRequest::parents,
               &CreateRequest::ttl_ms, &CreateRequest::acl);
template <>
inline constexpr auto fields<CreateReply> = std::tuple(&CreateReply::path, &CreateReply::stat);
template <>
inline constexpr auto fields<MultiRequest> = std::tuple(&MultiRequest::ops);
template <>
inline constexpr auto fields<Child> = std::tuple(&Child::name, &Child::stat, &Child::data);
template <>
inline constexpr auto fields<ChildrenReply> = std::tuple(&ChildrenReply::children,
                                                         &ChildrenReply::with_details,
                                                         &ChildrenReply::stat,
                                                         &ChildrenReply::more);

template <>
inline constexpr auto fields<SessionId> = std::tuple(&SessionId::value);
template <>
inline constexpr auto fields<SessionConsistency> = std::tuple();
template <>
inline constexpr auto fields<Linearizable> = std::tuple();

template <>
inline constexpr std::uint8_t kind<SessionConsistency> = 1;
template <>
inline constexpr std::uint8_t kind<Linearizable> = 2;
template <>
inline constexpr std::uint8_t kind<AtLeast> = 3;

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

// The members of a list that are missing above. The direction and the order are bits of one byte:
// for a list by name it is `reverse` alone.
inline void write_added(ByteWriter& out, const ChildrenRequest& list) {
  write(out, list.before);
  const unsigned order = list.order == ChildOrder::sequence ? 2 : 0;
  out.integer(static_cast<std::uint8_t>(order | (list.reverse ? 1 : 0)));
}
inline void read_added(ByteReader& in, ChildrenRequest& list) {
  list.before = read<std::optional<std::string>>(in);
  const auto bits = in.integer<std::uint8_t>();
  if (bits > 3) in.fail();
  list.reverse = (bits & 1) != 0;
  list.order = (bits & 2) != 0 ? ChildOrder::sequence : ChildOrder::name;
}

}  // namespace wire::archive
