#include "server/pipeline/index_waiters.h"

namespace server {

bool IndexWaiters::awaits(Client& client, const QueuedRead& due) {
  if (client.state == Client::State::ended) return false;
  client.asks_again = false;
  client.index = replica_.awaited_index(client.session, due);
  if (!client.index) return false;
  waiters_.insert(client.number);
  continue_indexing();
  return true;
}

std::vector<std::uint64_t> IndexWaiters::pop_ready() {
  continue_indexing();
  std::vector<std::uint64_t> ready;
  std::erase_if(waiters_, [&](std::uint64_t number) {
    const Client* client = clients_.find(number);
    const bool waits = client != nullptr && client->index && !*client->index;
    if (client != nullptr && !waits) ready.push_back(number);
    return !waits;
  });
  return ready;
}

// Until a client has asked again, it keeps its index, which is not dropped then. A client that
// receives nothing keeps none.
void IndexWaiters::tick() {
  continue_indexing();
  for (const std::uint64_t number : waiters_) {
    Client* client = clients_.find(number);
    if (client == nullptr) continue;
    client->asks_again = true;
    if (client->is_behind()) client->index.reset();
  }
}

// In a later turn of the event loop, if an index is not complete.
void IndexWaiters::continue_indexing() {
  if (replica_.watches().is_indexing_turns()) environment_.call_soon();
}

}  // namespace server
