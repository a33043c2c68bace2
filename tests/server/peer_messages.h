#pragma once

#include <memory>
#include <vector>

#include "server/peers/peer_message.h"

// Values of the messages between servers, for tests.
namespace peer_messages {

inline const zab::Point point{{{3}, 17}, {0x0123456789abcdef, 0xfedcba9876543210}};

inline const zab::ClusterId some_cluster{0x1122334455667788, 0x99aabbccddeeff00};

inline zab::Payload payload(const char* bytes) {
  return std::make_shared<const wire::Bytes>(bytes);
}

// One of each, with no field left at zero. tests/compat/forms.txt has their bytes.
inline std::vector<server::PeerMessage> one_of_each() {
  const zab::Vote vote{{2}, {{2}, 9}, {3}};
  const zab::Claim claim{{2}, {{2}, 8}};
  return {
      zab::Message{zab::Notification{zab::Role::leading, 5, vote, zab::DiskState::damaged, claim,
                                     some_cluster}},
      zab::Message{zab::FollowerInfo{{4}, {2}, point, 6, zab::DiskState::blank, claim}},
      zab::Message{zab::LeaderInfo{{5}, 6, some_cluster, true}},
      zab::Message{zab::AckEpoch{{5}, {4}, point}},
      zab::Message{zab::Diff{point}},
      zab::Message{zab::Trunc{point}},
      zab::Message{zab::Snap{point}},
      zab::Message{zab::SnapChunk{payload("bytes"), true}},
      zab::Message{zab::Diverged{point}},
      zab::Message{zab::NewLeader{{5}}},
      zab::Message{zab::AckNewLeader{{5}}},
      zab::Message{zab::UpToDate{point.zxid}},
      zab::Message{zab::Proposal{point.zxid, payload("a transaction")}},
      zab::Message{zab::Ack{point.zxid}},
      zab::Message{zab::Commit{point.zxid}},
      zab::Message{zab::Inform{point.zxid, payload("another")}},
      zab::Message{zab::Successor{{3}}},
      zab::Message{zab::Ping{7, point}},
      zab::Message{zab::Pong{8, point}},
      server::Forward{{5}, "a command"},
      server::ForwardRefused{9, point.zxid, "a refusal"},
      server::Touched{{{1}, {2}}},
      server::AskReadPoint{{5}, 10},
      server::ReadPoint{11, point.zxid},
      server::KeepAlive{},
      server::ClockReading{1'700'000'000'000},
      server::ConfirmTouches{{5}, 12},
      server::TouchesConfirmed{13, point.zxid},
  };
}

}  // namespace peer_messages
