#pragma once

#include <functional>
#include <map>
#include <vector>

#include "server/pipeline/ordering.h"
#include "server/pipeline/ordering_outcomes.h"
#include "session/service.h"
#include "wire/result.h"

namespace server {

// Ends sessions at an operator's command, while this server leads. For their clients these sessions
// have expired.
class SessionEnds {
 public:
  // The references live as long as this does.
  SessionEnds(const session::Service& service, Ordering& ordering)
      : service_(service), ordering_(ordering) {}

  // Calls `done` once the session has ended here, or with an error that says why it has not.
  using Done = std::function<void(wire::Result<void>)>;
  void request(wire::SessionId session, Done done, OrderingOutcomes& out);

  // Call it for each transaction that is applied here.
  void applied(const session::Applied& applied);
  // This server may have stopped leading.
  void role_changed();

 private:
  void finish(std::vector<Done> waiting, const wire::Result<void>& result);

  const session::Service& service_;
  Ordering& ordering_;
  std::map<wire::SessionId, std::vector<Done>> waiting_;
};

}  // namespace server
