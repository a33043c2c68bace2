#include "server/pipeline/session_ends.h"

#include <utility>

#include "wire/zxid.h"

namespace server {

void SessionEnds::request(wire::SessionId session, Done done, OrderingOutcomes& out) {
  if (service_.sessions().find(session) == nullptr) {
    return done(wire::Error{wire::ErrorCode::bad_arguments,
                            "session " + wire::to_hex(session.value) + " is not open"});
  }
  if (auto planned = ordering_.end_session(session, out); !planned) return done(planned);
  waiting_[session].push_back(std::move(done));
}

void SessionEnds::applied(const session::Applied& applied) {
  using Change = session::Applied::SessionChange;
  if (waiting_.empty()) return;
  if (applied.session_change != Change::closed && applied.session_change != Change::expired) return;
  if (auto ended = waiting_.extract(applied.session)) finish(std::move(ended.mapped()), {});
}

void SessionEnds::role_changed() {
  if (ordering_.leads()) return;
  for (auto& [session, waiting] : std::exchange(waiting_, {})) {
    finish(std::move(waiting),
           wire::Error{wire::ErrorCode::connection_loss,
                       "this server does not lead any more: look at the sessions on the new "
                       "leader, and repeat the command if the session is open"});
  }
}

void SessionEnds::finish(std::vector<Done> waiting, const wire::Result<void>& result) {
  for (const Done& done : waiting) done(result);
}

}  // namespace server
