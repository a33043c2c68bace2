#include "server/peers/peer_message.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "zab/bytes.h"

namespace server {
namespace {

using wire::ByteReader;
using wire::ByteWriter;
using zab_bytes::put;
using zab_bytes::take_cluster_id;
using zab_bytes::take_point;

// One byte before each message. Never given a new meaning: servers of two versions may talk.
enum class Kind : std::uint8_t {
  notification = 1,
  follower_info = 2,
  leader_info = 3,
  ack_epoch = 4,
  diff = 5,
  trunc = 6,
  diverged = 7,
  new_leader = 8,
  ack_new_leader = 9,
  up_to_date = 10,
  proposal = 11,
  ack = 12,
  commit = 13,
  inform = 14,
  ping = 15,
  pong = 16,
  snap = 17,
  snap_chunk = 18,
  successor = 19,
  forward = 32,
  refused = 33,
  touched = 34,
  ask_read_point = 35,
  read_point = 36,
  keep_alive = 37,
};

// --- Writing: one overload a message, kind first. ---

ByteWriter& begin(Kind kind, ByteWriter& out) {
  out.integer(static_cast<std::uint8_t>(kind));
  return out;
}

void put(zab::ServerId id, ByteWriter& out) { out.integer(id.value); }

void put(zab::Condition condition, const zab::Claim& claim, ByteWriter& out) {
  out.integer(static_cast<std::uint8_t>(condition));
  out.epoch(claim.current_epoch);
  out.zxid(claim.last_zxid);
}

void put(const zab::Notification& m, ByteWriter& out) {
  begin(Kind::notification, out).integer(static_cast<std::uint8_t>(m.role));
  out.integer(m.round);
  out.epoch(m.vote.current_epoch);
  out.zxid(m.vote.last_zxid);
  put(m.vote.leader, out);
  put(m.condition, m.claim, out);
  put(m.cluster, out);
}
void put(const zab::FollowerInfo& m, ByteWriter& out) {
  begin(Kind::follower_info, out).epoch(m.accepted_epoch);
  put(m.accepted_leader, out);
  put(m.last, out);
  out.integer(m.attempt);
  put(m.condition, m.claim, out);
}
void put(const zab::LeaderInfo& m, ByteWriter& out) {
  begin(Kind::leader_info, out).epoch(m.epoch);
  out.integer(m.attempt);
  put(m.cluster, out);
  out.boolean(m.founded);
}
void put(const zab::AckEpoch& m, ByteWriter& out) {
  begin(Kind::ack_epoch, out).epoch(m.epoch);
  out.epoch(m.current_epoch);
  put(m.last, out);
}
void put(const zab::Diff& m, ByteWriter& out) { put(m.from, begin(Kind::diff, out)); }
void put(const zab::Trunc& m, ByteWriter& out) { put(m.to, begin(Kind::trunc, out)); }
void put(const zab::Snap& m, ByteWriter& out) { put(m.at, begin(Kind::snap, out)); }
void put(const zab::SnapChunk& m, ByteWriter& out) {
  begin(Kind::snap_chunk, out).integer(static_cast<std::uint8_t>(m.last));
  out.string(*m.bytes);
}
void put(const zab::Diverged& m, ByteWriter& out) { put(m.last, begin(Kind::diverged, out)); }
void put(const zab::NewLeader& m, ByteWriter& out) { begin(Kind::new_leader, out).epoch(m.epoch); }
void put(const zab::AckNewLeader& m, ByteWriter& out) {
  begin(Kind::ack_new_leader, out).epoch(m.epoch);
}
void put(const zab::UpToDate& m, ByteWriter& out) {
  begin(Kind::up_to_date, out).zxid(m.committed);
}
void put(const zab::Proposal& m, ByteWriter& out) {
  begin(Kind::proposal, out).zxid(m.zxid);
  out.string(*m.payload);
}
void put(const zab::Ack& m, ByteWriter& out) { begin(Kind::ack, out).zxid(m.zxid); }
void put(const zab::Commit& m, ByteWriter& out) { begin(Kind::commit, out).zxid(m.zxid); }
void put(const zab::Inform& m, ByteWriter& out) {
  begin(Kind::inform, out).zxid(m.zxid);
  out.string(*m.payload);
}
void put(const zab::Successor& m, ByteWriter& out) { put(m.server, begin(Kind::successor, out)); }
void put(const zab::Ping& m, ByteWriter& out) {
  begin(Kind::ping, out).integer(m.probe);
  put(m.last, out);
}
void put(const zab::Pong& m, ByteWriter& out) {
  begin(Kind::pong, out).integer(m.probe);
  put(m.last, out);
}
void put(const zab::Message& m, ByteWriter& out) {
  std::visit([&](const auto& message) { put(message, out); }, m);
}
void put(const Forward& m, ByteWriter& out) {
  begin(Kind::forward, out).epoch(m.epoch);
  out.string(m.command);
}
void put(const ForwardRefused& m, ByteWriter& out) {
  begin(Kind::refused, out).integer(m.tag);
  out.zxid(m.zxid);
  out.string(m.refusal);
}
void put(const Touched& m, ByteWriter& out) {
  begin(Kind::touched, out).integer(static_cast<std::uint32_t>(m.sessions.size()));
  for (const wire::SessionId session : m.sessions) out.integer(session.value);
}
void put(const AskReadPoint& m, ByteWriter& out) {
  begin(Kind::ask_read_point, out).epoch(m.epoch);
  out.integer(m.token);
}
void put(const ReadPoint& m, ByteWriter& out) {
  begin(Kind::read_point, out).integer(m.token);
  out.zxid(m.zxid);
}
void put(const KeepAlive&, ByteWriter& out) { begin(Kind::keep_alive, out); }

// --- Reading. What is missing is found by the reader, which then says that it failed. ---

zab::ServerId server_id(ByteReader& in) { return {in.integer<std::uint32_t>()}; }

zab::Payload payload(ByteReader& in) { return std::make_shared<const wire::Bytes>(in.string()); }

// What `M` says about its sender; false if it is none of the conditions.
template <typename M>
bool read_condition(M& m, ByteReader& in) {
  const auto condition = in.integer<std::uint8_t>();
  m.condition = static_cast<zab::Condition>(condition);
  m.claim.current_epoch = in.epoch();
  m.claim.last_zxid = in.zxid();
  return condition <= static_cast<std::uint8_t>(zab::Condition::damaged);
}

std::optional<PeerMessage> notification(ByteReader& in) {
  zab::Notification m;
  const auto role = in.integer<std::uint8_t>();
  if (role > static_cast<std::uint8_t>(zab::Role::leading)) return std::nullopt;
  m.role = static_cast<zab::Role>(role);
  m.round = in.integer<std::uint64_t>();
  m.vote.current_epoch = in.epoch();
  m.vote.last_zxid = in.zxid();
  m.vote.leader = server_id(in);
  if (!read_condition(m, in)) return std::nullopt;
  m.cluster = take_cluster_id(in);
  return m;
}

std::optional<PeerMessage> follower_info(ByteReader& in) {
  zab::FollowerInfo m;
  m.accepted_epoch = in.epoch();
  m.accepted_leader = server_id(in);
  m.last = take_point(in);
  m.attempt = in.integer<std::uint64_t>();
  if (!read_condition(m, in)) return std::nullopt;
  return m;
}

std::optional<PeerMessage> snap_chunk(ByteReader& in) {
  const auto last = in.integer<std::uint8_t>();
  if (last > 1) return std::nullopt;
  return zab::SnapChunk{payload(in), last == 1};
}

std::optional<PeerMessage> touched(ByteReader& in) {
  const auto count = in.integer<std::uint32_t>();
  if (in.failed() || count > in.remaining() / sizeof(std::uint64_t)) return std::nullopt;
  Touched m;
  m.sessions.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) m.sessions.push_back({in.integer<std::uint64_t>()});
  return m;
}

// Nothing if the kind is unknown or a value is none of its type's.
std::optional<PeerMessage> read(Kind kind, ByteReader& in) {
  switch (kind) {
    case Kind::notification: return notification(in);
    case Kind::follower_info: return follower_info(in);
    case Kind::leader_info: {
      const wire::Epoch epoch = in.epoch();
      const auto attempt = in.integer<std::uint64_t>();
      const zab::ClusterId cluster = take_cluster_id(in);
      return zab::LeaderInfo{epoch, attempt, cluster, in.boolean()};
    }
    case Kind::ack_epoch: {
      const wire::Epoch epoch = in.epoch();
      const wire::Epoch current = in.epoch();
      return zab::AckEpoch{epoch, current, take_point(in)};
    }
    case Kind::diff: return zab::Diff{take_point(in)};
    case Kind::trunc: return zab::Trunc{take_point(in)};
    case Kind::snap: return zab::Snap{take_point(in)};
    case Kind::snap_chunk: return snap_chunk(in);
    case Kind::successor: return zab::Successor{server_id(in)};
    case Kind::diverged: return zab::Diverged{take_point(in)};
    case Kind::new_leader: return zab::NewLeader{in.epoch()};
    case Kind::ack_new_leader: return zab::AckNewLeader{in.epoch()};
    case Kind::up_to_date: return zab::UpToDate{in.zxid()};
    case Kind::proposal: {
      const wire::Zxid zxid = in.zxid();
      return zab::Proposal{zxid, payload(in)};
    }
    case Kind::ack: return zab::Ack{in.zxid()};
    case Kind::commit: return zab::Commit{in.zxid()};
    case Kind::inform: {
      const wire::Zxid zxid = in.zxid();
      return zab::Inform{zxid, payload(in)};
    }
    case Kind::ping: {
      const auto probe = in.integer<std::uint64_t>();
      return zab::Ping{probe, take_point(in)};
    }
    case Kind::pong: {
      const auto probe = in.integer<std::uint64_t>();
      return zab::Pong{probe, take_point(in)};
    }
    case Kind::forward: {
      const wire::Epoch epoch = in.epoch();
      return Forward{epoch, wire::Bytes(in.string())};
    }
    case Kind::refused: {
      const auto tag = in.integer<std::uint64_t>();
      const wire::Zxid zxid = in.zxid();
      return ForwardRefused{tag, zxid, wire::Bytes(in.string())};
    }
    case Kind::touched: return touched(in);
    case Kind::ask_read_point: {
      const wire::Epoch epoch = in.epoch();
      return AskReadPoint{epoch, in.integer<std::uint64_t>()};
    }
    case Kind::read_point: {
      const auto token = in.integer<std::uint64_t>();
      return ReadPoint{token, in.zxid()};
    }
    case Kind::keep_alive: return KeepAlive{};
  }
  return std::nullopt;
}

}  // namespace

void encode(const PeerMessage& message, wire::Bytes& out) {
  ByteWriter writer(out);
  std::visit([&](const auto& m) { put(m, writer); }, message);
}

wire::Result<PeerMessage> decode_peer_message(std::string_view bytes) {
  ByteReader in(bytes);
  const auto kind = in.integer<std::uint8_t>();
  std::optional<PeerMessage> message = read(static_cast<Kind>(kind), in);
  if (message && in.complete()) return std::move(*message);
  return wire::Error{wire::ErrorCode::marshalling_error,
                     "message of kind " + std::to_string(kind) + " and " +
                         std::to_string(bytes.size()) + " bytes cannot be read"};
}

}  // namespace server
