#include "server/replication/handover.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace server {

void Handover::begin(zab::ServerId to, std::chrono::milliseconds patience, Done done) {
  driver_.post(zab::HandOver{to});
  const auto waiting =
      waiting_.emplace(waiting_.end(), Waiting{boost::asio::steady_timer(io_, patience)});
  // The timer expires, or is cancelled when the outcome is known.
  waiting->patience.async_wait(
      [this, waiting, then = std::move(done)](const boost::system::error_code&) {
        const Outcome outcome = waiting->outcome;
        waiting_.erase(waiting);
        then(outcome);
      });
}

void Handover::role_changed(const zab::RoleStatus& role_status) {
  if (!role_status.serving) return;
  for (Waiting& waiting : waiting_) {
    waiting.outcome = role_status.role == zab::Role::leading ? Outcome::refused : Outcome::done;
    waiting.patience.cancel();
  }
}

wire::Result<zab::ServerId> successor(std::string_view named, const zab::Peer& peer) {
  const auto refuse = [](std::string why) {
    return wire::Error{wire::ErrorCode::bad_arguments, std::move(why)};
  };
  const std::vector<zab::Member>& members = peer.state().ensemble.members();
  if (members.size() < 2) return refuse("a standalone server has no other server to hand over to");
  const zab::RoleStatus role_status = peer.role_status();
  if (role_status.role != zab::Role::leading) {
    std::string why = "this server does not lead";
    if (!role_status.leader.none())
      why += "; server " + zab::to_string(role_status.leader) + " does";
    return refuse(std::move(why));
  }
  if (named.empty()) return zab::ServerId{};

  const std::string who = "server " + std::string(named);
  const auto member = std::ranges::find_if(
      members, [&](const zab::Member& each) { return zab::to_string(each.id) == named; });
  if (member == members.end()) return refuse("there is no " + who);
  const zab::ServerId id = member->id;
  if (id == peer.state().self) return refuse(who + " leads already");
  if (!peer.state().ensemble.is_voter(id)) return refuse(who + " is not a voter");
  if (!peer.state().reaches(id)) return refuse(who + " is not connected to this server");
  return id;
}

}  // namespace server
