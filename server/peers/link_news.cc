#include "server/peers/link_news.h"

#include <utility>

namespace server {

bool LinkNews::linked(zab::ServerId server, const std::string& program, TimePoint now) {
  State& state = states_[server];
  state.linked_at = now;
  state.loss.reset();
  return std::exchange(state.logged, program) != program;
}

std::optional<std::string> LinkNews::lost(zab::ServerId server, const std::string& reason,
                                          TimePoint now) {
  State& state = states_[server];
  const std::string source = zab::to_string(server);
  if (now - state.linked_at >= lasting) reasons_.forget(source);
  const auto repeats = reasons_.note(source, reason, now);
  if (!repeats) {
    state.loss = Unlogged{now, reason};
    return std::nullopt;
  }
  state.logged.clear();
  return repeated(*repeats);
}

std::vector<LinkNews::Loss> LinkNews::overdue(TimePoint now) {
  std::vector<Loss> losses;
  for (auto& [server, state] : states_) {
    if (!state.loss || now - state.loss->at < patience) continue;
    losses.push_back({server, std::move(state.loss->reason)});
    state.loss.reset();
    state.logged.clear();
  }
  return losses;
}

}  // namespace server
