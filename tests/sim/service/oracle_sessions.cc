#include <algorithm>
#include <variant>

#include "tests/sim/service/oracle.h"
#include "tests/sim/service/service_options.h"
#include "tests/sim/violation.h"

// Which session a connection gets, and for how long the service promises to keep it.
namespace sim {

void Oracle::on_connected(ConnectionState& connection, const wire::ConnectedReply& reply) {
  if (connection.session.none() == reply.resumed ||
      (reply.resumed && connection.session != reply.session)) {
    throw Violation("session_exactness", "the reply has another session than the requested one");
  }
  if (reply.zxid < connection.zxid) {
    throw Violation("reads_never_go_back",
                    "a client is connected to a server that lacks transactions it has seen");
  }
  connection.session = reply.session;
  connection.zxid = reply.zxid;
  const auto event = model_.events().find(reply.zxid);
  const bool is_its =
      event != model_.events().end() && (reply.resumed ? event->second.txn.session == reply.session
                                                       : reply.session.value == reply.zxid.bits());
  if (!is_its)
    throw Violation("session_exactness", "the connect is answered for another transaction");
  connection.owner = event->second.txn.owner;
  promise(reply.session, connection.connect_sent, reply.valid_ms);
}

namespace {

[[noreturn]] void broken_promise(wire::SessionId session, Time early) {
  throw Violation("validity", "session " + wire::to_hex(session.value) + " expires " +
                                  std::to_string(early) +
                                  " thousandths of a tick before the time that was promised");
}

}  // namespace

// The promise counts from when the client has sent the request. A server that lags may promise when
// another one has already delivered the expiry.
void Oracle::promise(wire::SessionId session, Time sent, std::int64_t valid_ms) {
  if (valid_ms == 0) return;
  const Time until = sent + static_cast<Time>(valid_ms) * tick / tick_ms;
  Time& longest = promised_[session];
  longest = std::max(longest, until);
  const auto expired = expired_.find(session);
  if (expired != expired_.end() && expired->second < until) {
    broken_promise(session, until - expired->second);
  }
}

void Oracle::check_promise(const Event& event, Time now) {
  const auto* close = std::get_if<session::CloseTxn>(&event.txn.body);
  if (close == nullptr || !close->expired) return;
  expired_[event.txn.session] = now;
  const auto promised = promised_.find(event.txn.session);
  if (promised == promised_.end() || now >= promised->second) return;
  broken_promise(event.txn.session, promised->second - now);
}

}  // namespace sim
