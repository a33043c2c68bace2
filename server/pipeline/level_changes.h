#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "server/pipeline/environment.h"
#include "server/pipeline/ordering.h"
#include "server/pipeline/ordering_outcomes.h"
#include "session/service.h"
#include "wire/forms.h"
#include "wire/result.h"

namespace server {

// An error names the first server that cannot run at this level, or whose levels are unknown.
[[nodiscard]] wire::Result<void> all_can_run_at(wire::Level level,
                                                const std::vector<ServerLevels>& servers);
// An error names the first server whose levels are not those of the others, or are unknown.
// Programs with equal levels convert what is kept (session::former_outcome) to the same bytes.
[[nodiscard]] wire::Result<void> all_have_equal_levels(const std::vector<ServerLevels>& servers);
// The greatest level at which all of them can run, if it is above `now`.
[[nodiscard]] std::optional<wire::Level> next_level(wire::Level now,
                                                    const std::vector<ServerLevels>& servers);

// Changes the level of the ensemble, while this server leads: by itself, or because an operator
// asked. No level is proposed at which a server of the configuration cannot run.
class LevelChanges {
 public:
  // `automatic`: raise the level as soon as all servers know a greater one. The references live as
  // long as this does.
  LevelChanges(bool automatic, const session::Service& service, Ordering& ordering,
               Environment& environment);

  // Calls `done` once the level is in force here, or with an error that says why it is not. A lower
  // level is refused if this server would raise it again, or if the servers' programs have unequal
  // levels.
  using Done = std::function<void(wire::Result<void>)>;
  void request(wire::Level level, Done done, OrderingOutcomes& out);
  // One heartbeat interval has passed.
  void tick(OrderingOutcomes& out) { raise_if_possible(out); }

  // The service is at another level than before.
  void changed();
  // This server may have begun or stopped leading. A new leader raises the level before it opens
  // sessions, so clients of a new ensemble find the greatest level.
  void role_changed(OrderingOutcomes& out);

 private:
  [[nodiscard]] bool raises_by_itself() const;
  void raise_if_possible(OrderingOutcomes& out);
  void finish(const wire::Result<void>& result);

  bool automatic_;
  bool chosen_ = false;  // by an operator, while this server led
  const session::Service& service_;
  Ordering& ordering_;
  Environment& environment_;
  std::vector<Done> waiting_;  // for the change that is under way
};

}  // namespace server
