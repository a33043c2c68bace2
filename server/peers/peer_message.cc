#include "server/peers/peer_message.h"

#include <string>
#include <tuple>
#include <utility>

#include "wire/archive_fields.h"
#include "zab/archive_fields.h"

// --- The members of each message, in the order of its bytes ---

template <>
inline constexpr auto wire::archive::greatest<zab::Role> = zab::Role::leading;
template <>
inline constexpr auto wire::archive::greatest<zab::DiskState> = zab::DiskState::damaged;
template <>
inline constexpr auto wire::archive::fields<zab::Vote> = std::tuple(&zab::Vote::current_epoch,
                                                                    &zab::Vote::last_zxid,
                                                                    &zab::Vote::leader);
template <>
inline constexpr auto wire::archive::fields<zab::Claim> = std::tuple(&zab::Claim::current_epoch,
                                                                     &zab::Claim::last_zxid);
template <>
inline constexpr auto wire::archive::fields<zab::Notification> = std::tuple(
    &zab::Notification::role, &zab::Notification::round, &zab::Notification::vote,
    &zab::Notification::disk_state, &zab::Notification::claim, &zab::Notification::cluster);
template <>
inline constexpr auto wire::archive::fields<zab::FollowerInfo> =
    std::tuple(&zab::FollowerInfo::accepted_epoch, &zab::FollowerInfo::accepted_leader,
               &zab::FollowerInfo::last, &zab::FollowerInfo::attempt,
               &zab::FollowerInfo::disk_state, &zab::FollowerInfo::claim);
template <>
inline constexpr auto wire::archive::fields<zab::LeaderInfo> =
    std::tuple(&zab::LeaderInfo::epoch, &zab::LeaderInfo::attempt, &zab::LeaderInfo::cluster,
               &zab::LeaderInfo::founded);
template <>
inline constexpr auto wire::archive::fields<zab::AckEpoch> =
    std::tuple(&zab::AckEpoch::epoch, &zab::AckEpoch::current_epoch, &zab::AckEpoch::last);
template <>
inline constexpr auto wire::archive::fields<zab::Diff> = std::tuple(&zab::Diff::from);
template <>
inline constexpr auto wire::archive::fields<zab::Trunc> = std::tuple(&zab::Trunc::to);
template <>
inline constexpr auto wire::archive::fields<zab::Diverged> = std::tuple(&zab::Diverged::last);
template <>
inline constexpr auto wire::archive::fields<zab::NewLeader> = std::tuple(&zab::NewLeader::epoch);
template <>
inline constexpr auto wire::archive::fields<zab::AckNewLeader> =
    std::tuple(&zab::AckNewLeader::epoch);
template <>
inline constexpr auto wire::archive::fields<zab::UpToDate> = std::tuple(&zab::UpToDate::committed);
template <>
inline constexpr auto wire::archive::fields<zab::Proposal> = std::tuple(&zab::Proposal::zxid,
                                                                        &zab::Proposal::payload);
template <>
inline constexpr auto wire::archive::fields<zab::Ack> = std::tuple(&zab::Ack::zxid);
template <>
inline constexpr auto wire::archive::fields<zab::Commit> = std::tuple(&zab::Commit::zxid);
template <>
inline constexpr auto wire::archive::fields<zab::Inform> = std::tuple(&zab::Inform::zxid,
                                                                      &zab::Inform::payload);
template <>
inline constexpr auto wire::archive::fields<zab::Ping> = std::tuple(&zab::Ping::probe,
                                                                    &zab::Ping::last);
template <>
inline constexpr auto wire::archive::fields<zab::Pong> = std::tuple(&zab::Pong::probe,
                                                                    &zab::Pong::last);
template <>
inline constexpr auto wire::archive::fields<zab::Snap> = std::tuple(&zab::Snap::at);
template <>
inline constexpr auto wire::archive::fields<zab::SnapChunk> = std::tuple(&zab::SnapChunk::last,
                                                                         &zab::SnapChunk::bytes);
template <>
inline constexpr auto wire::archive::fields<zab::Successor> = std::tuple(&zab::Successor::server);
template <>
inline constexpr auto wire::archive::fields<server::Forward> =
    std::tuple(&server::Forward::epoch, &server::Forward::command);
template <>
inline constexpr auto wire::archive::fields<server::ForwardRefused> = std::tuple(
    &server::ForwardRefused::tag, &server::ForwardRefused::zxid, &server::ForwardRefused::refusal);
template <>
inline constexpr auto wire::archive::fields<server::Touched> =
    std::tuple(&server::Touched::sessions);
template <>
inline constexpr auto wire::archive::fields<server::AskReadPoint> =
    std::tuple(&server::AskReadPoint::epoch, &server::AskReadPoint::token);
template <>
inline constexpr auto wire::archive::fields<server::ReadPoint> =
    std::tuple(&server::ReadPoint::token, &server::ReadPoint::zxid);
template <>
inline constexpr auto wire::archive::fields<server::KeepAlive> = std::tuple();
template <>
inline constexpr auto wire::archive::fields<server::ClockReading> =
    std::tuple(&server::ClockReading::shown);
template <>
inline constexpr auto wire::archive::fields<server::ConfirmTouches> =
    std::tuple(&server::ConfirmTouches::epoch, &server::ConfirmTouches::token);
template <>
inline constexpr auto wire::archive::fields<server::TouchesConfirmed> =
    std::tuple(&server::TouchesConfirmed::token, &server::TouchesConfirmed::zxid);

// --- The byte before each message: never reuse one, servers of two versions may talk ---

template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Notification> = 1;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::FollowerInfo> = 2;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::LeaderInfo> = 3;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::AckEpoch> = 4;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Diff> = 5;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Trunc> = 6;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Diverged> = 7;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::NewLeader> = 8;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::AckNewLeader> = 9;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::UpToDate> = 10;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Proposal> = 11;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Ack> = 12;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Commit> = 13;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Inform> = 14;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Ping> = 15;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Pong> = 16;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Snap> = 17;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::SnapChunk> = 18;
template <>
inline constexpr std::uint8_t wire::archive::kind<zab::Successor> = 19;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::Forward> = 32;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::ForwardRefused> = 33;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::Touched> = 34;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::AskReadPoint> = 35;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::ReadPoint> = 36;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::KeepAlive> = 37;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::ClockReading> = 38;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::ConfirmTouches> = 39;
template <>
inline constexpr std::uint8_t wire::archive::kind<server::TouchesConfirmed> = 40;

namespace server {

void encode(const PeerMessage& message, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  wire::archive::write(writer, message);
}

wire::Result<PeerMessage> decode_peer_message(std::string_view bytes) {
  wire::ByteReader in(bytes);
  auto message = wire::archive::read<PeerMessage>(in);
  if (in.complete()) return message;
  const int kind = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front());
  return wire::Error{wire::ErrorCode::marshalling_error,
                     "message of kind " + std::to_string(kind) + " and " +
                         std::to_string(bytes.size()) + " bytes cannot be read"};
}

}  // namespace server
