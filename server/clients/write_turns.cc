#include "server/clients/write_turns.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <boost/asio/post.hpp>

#include "server/clients/carrier.h"

namespace server {
namespace {

constexpr std::size_t turns_at_once = 64;

}  // namespace

void WriteTurns::enter(const std::shared_ptr<Carrier>& carrier) {
  waiting_.push_back(carrier);
  if (!std::exchange(scheduled_, true)) serve_soon(carrier);
}

// `any` is one of the carriers. The posted call owns it, so that this object stays alive.
void WriteTurns::serve_soon(const std::shared_ptr<Carrier>& any) {
  boost::asio::post(any->get_executor(), [this, any] {
    serve();
    scheduled_ = !waiting_.empty();
    if (scheduled_) serve_soon(any);
  });
}

void WriteTurns::serve() {
  for (std::size_t left = std::min(waiting_.size(), turns_at_once); left > 0; --left) {
    const std::shared_ptr<Carrier> carrier = waiting_.front().lock();
    waiting_.pop_front();
    if (carrier && carrier->is_gathering()) {
      waiting_.push_back(carrier);
    } else if (carrier) {
      carrier->take_turn();
    }
  }
}

}  // namespace server
