#include "server/peers/agreement.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace server {
namespace {

std::string name_of(const Greeting& greeting) { return "server " + zab::to_string(greeting.from); }

std::string names_of(const Greeting& theirs, const Greeting& mine) {
  return name_of(theirs) + " and " + name_of(mine);
}

std::string description_of(const Greeting& greeting) {
  return name_of(greeting) + " (" + greeting.program + ", " + to_string(greeting.protocols) + ")";
}

std::optional<std::uint16_t> common_protocol(const ProtocolRange& a, const ProtocolRange& b) {
  const std::uint16_t greatest = std::min(a.greatest, b.greatest);
  if (greatest < std::max(a.least, b.least)) return std::nullopt;
  return greatest;
}

// Whether they may know each other at all, whatever their programs are.
std::optional<std::string> stranger(const Greeting& mine, const Greeting& theirs,
                                    const std::function<bool(zab::ServerId)>& is_expected) {
  if (theirs.to != mine.from && !theirs.to.none()) {
    return name_of(theirs) + " expects server " + zab::to_string(theirs.to) +
           " at the address of " + name_of(mine) + ": compare the server lines of both";
  }
  if (theirs.ensemble != mine.ensemble) {
    return names_of(theirs, mine) +
           " have different server lines in their configurations: make them the same on all "
           "servers";
  }
  if (zab::are_foreign(theirs.cluster, mine.cluster)) {
    return name_of(theirs) + " belongs to cluster " + to_string(theirs.cluster) + ", and " +
           name_of(mine) + " to cluster " + to_string(mine.cluster) +
           ": one of them has another's data directory";
  }
  if (!is_expected(theirs.from)) {
    return name_of(theirs) + " is not expected by " + name_of(mine) +
           " on this connection: compare the ids (myid) and the server lines of both";
  }
  return std::nullopt;
}

std::optional<std::string> unable(const Greeting& greeting, wire::Level needed) {
  if (greeting.levels.contains(needed)) return std::nullopt;
  return unable_sentence(greeting.from, greeting.program, greeting.levels, needed);
}

}  // namespace

wire::Result<PeerProgram> agree(const Greeting& mine, const Greeting& theirs,
                                const std::function<bool(zab::ServerId)>& is_expected) {
  const auto refuse = [](std::string why) {
    return wire::Error{wire::ErrorCode::connection_loss, std::move(why)};
  };
  if (auto why = stranger(mine, theirs, is_expected)) return refuse(*std::move(why));
  const auto protocol = common_protocol(mine.protocols, theirs.protocols);
  if (!protocol) {
    return refuse("no protocol is common to " + description_of(theirs) + " and " +
                  description_of(mine) +
                  ": start a program on one of them that speaks a protocol of the other");
  }
  if (auto why = unable(theirs, mine.level)) return refuse(*std::move(why));
  if (auto why = unable(mine, theirs.level)) return refuse(*std::move(why));
  return PeerProgram{theirs.levels, *protocol, theirs.program};
}

std::string unable_sentence(zab::ServerId server, const std::string& program,
                            const wire::LevelRange& levels, wire::Level needed) {
  const std::string name = "server " + zab::to_string(server);
  return name + " runs " + program + ", which can run at " + wire::to_string(levels) +
         "; the ensemble or one of its disks is at " + wire::to_string(needed) +
         ": start a program on " + name + " that can run at " + wire::to_string(needed);
}

void DialForms::dialed(Dialed dialed, wire::Level needed) {
  const bool counts = form_ == GreetingForm::fields && dialed == Dialed::unanswered;
  unanswered_ = counts ? unanswered_ + 1 : 0;
  const bool fixed_is_next = unanswered_ >= 2 && old_levels.contains(needed);
  form_ = fixed_is_next ? GreetingForm::fixed : GreetingForm::fields;
}

}  // namespace server
