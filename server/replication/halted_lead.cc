#include "server/replication/halted_lead.h"

#include <chrono>

#include <spdlog/spdlog.h>

namespace server {
namespace {

constexpr std::chrono::seconds lead_timeout{10};
constexpr std::chrono::seconds between_handovers{30};

}  // namespace

// Two servers that have halted would hand the lead to each other for ever. So each tries again only
// after a while, with another successor.
void HaltedLead::role_changed(const zab::RoleStatus& role_status) {
  const bool leads = role_status.serving && role_status.role == zab::Role::leading;
  if (!pipeline_.replica().halt() || !leads || waits_) return;
  const zab::State& state = driver_.peer().state();
  const zab::ServerId successor = next_voter(state.ensemble, state.self, successor_);
  if (successor.none()) return;
  successor_ = successor;
  spdlog::warn(
      "this server leads, and cannot apply what is committed: it hands its lead to server {}",
      successor_.value);
  handover_.begin(successor_, lead_timeout, [](Handover::Outcome) {});
  waits_ = true;
  timer_.expires_after(between_handovers);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    waits_ = false;
    role_changed(driver_.peer().role_status());
  });
}

zab::ServerId next_voter(const zab::Ensemble& ensemble, zab::ServerId self, zab::ServerId after) {
  zab::ServerId first;
  for (const zab::Member& member : ensemble.members()) {  // by id
    if (!ensemble.is_voter(member.id) || member.id == self) continue;
    if (member.id > after) return member.id;
    if (first.none()) first = member.id;
  }
  return first;
}

}  // namespace server
