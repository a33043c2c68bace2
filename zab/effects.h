#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "zab/messages.h"

namespace zab {

// A message and the server that it goes to. It goes over the link that is up at the time of the
// step, and is lost if that link goes down first. A peer writes to itself too: such an envelope
// comes back to it as `Received`.
struct Envelope {
  ServerId to;
  Message message;
};

// Follow no leader of an earlier epoch any more, and of this one only `leader`.
struct AcceptEpoch {
  Epoch epoch;
  ServerId leader;

  bool operator==(const AcceptEpoch&) const = default;
};

// The leader's history under the leader's epoch, as one: forget what is after `truncate_to`, add
// `txns`, and set the current epoch.
struct AdoptHistory {
  Epoch epoch;
  Zxid truncate_to;
  std::vector<Txn> txns;
};

struct Append {
  Txn txn;
};

using Persist = std::variant<AcceptEpoch, AdoptHistory, Append>;

// What a peer is to the ensemble, for those who use it.
struct Standing {
  Stance stance = Stance::looking;
  bool serving = false;  // leading or learning in an established epoch
  Epoch epoch;           // that epoch, if serving
  ServerId leader;       // whom it follows (itself if it leads); nobody while looking

  bool operator==(const Standing&) const = default;
};

// This peer led when the token's ConfirmLeadership came, and every transaction acknowledged to
// anybody before that is at or before `committed`.
struct Confirmed {
  std::uint64_t token = 0;
  Zxid committed;

  bool operator==(const Confirmed&) const = default;
};

// What one step of a peer asks the world to do, carried out from top to bottom. Adding two Effects
// list by list is always allowed: that is group commit.
struct Effects {
  std::optional<Standing> standing;  // set if it changed
  std::vector<Envelope> send;        // promises nothing durable: may leave at once
  std::vector<Persist> persist;      // one atomic, synced write, in order
  std::vector<Envelope> confirm;     // promises `persist`: leaves only after it, in order
  std::vector<Txn> deliver;          // committed, in zxid order
  std::vector<Confirmed> confirmed;  // answers to ConfirmLeadership
  std::vector<std::string> notes;    // why a role was given up, for the operator's log

  Effects& operator+=(Effects&& next);
  [[nodiscard]] bool empty() const;
};

}  // namespace zab
