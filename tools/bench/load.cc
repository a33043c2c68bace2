#include "tools/bench/load.h"

#include <algorithm>
#include <stdexcept>
#include <sys/resource.h>
#include <utility>

#include "tools/bench/reply_text.h"

namespace bench {
namespace {

// The processor time of this process, in microseconds.
double own_cpu_micros() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

}  // namespace

Load::Load(Ensemble& ensemble, Measurements& measurements, Request request, std::size_t outstanding)
    : ensemble_(ensemble),
      measurements_(measurements),
      request_(std::move(request)),
      outstanding_(outstanding) {}

void Load::connect(std::uint16_t port) {
  auto client = std::make_unique<Client>();
  client->sent_at.resize(outstanding_);
  Client& self = *client;
  client->connection = std::make_unique<Connection>(
      loop_, port, connect_request(), [this, &self](auto text) { on_frame(self, text); });
  clients_.push_back(std::move(client));
}

void Load::send_request(Client& client) {
  client.sent_at[client.next_id % outstanding_] = loop_.ready_at();
  client.connection->send_text(request_.text(client.next_id, next_key_++));
  client.next_id += 1;
}

void Load::on_frame(Client& client, std::string_view text) {
  if (is_error(text)) {
    measurements_.warn("error " + std::string(field(text, "error")), field(text, "message"));
  }
  if (counting_) frames_ += 1;
  for_each_reply(text, [&](std::uint32_t id, std::string_view) {
    if (id != client.awaited_id) measurements_.warn("a reply was lost, or came out of order");
    if (counting_) {
      const Micros latency = loop_.ready_at() - client.sent_at[id % outstanding_];
      latencies_.push_back(static_cast<double>(latency));
    }
    client.awaited_id = id + 1;
    if (sending_ && next_key_ < last_key_) send_request(client);
  });
}

void Load::require_all_open() {
  for (const auto& client : clients_) {
    if (client->connection->lost()) {
      throw std::runtime_error("a connection was lost: " + client->connection->lost_reason());
    }
  }
}

void Load::run_for(Micros time) {
  loop_.run_for(time);
  require_all_open();
}

void Load::finish_outstanding() {
  sending_ = false;
  loop_.run_until(
      [&] {
        require_all_open();
        return std::ranges::all_of(clients_, [](const auto& client) {
          return client->connection->open() && client->awaited_id == client->next_id;
        });
      },
      "the replies to all outstanding requests", seconds(10));
}

void Load::send_every_key() {
  finish_outstanding();
  last_key_ = Request::keys;
  sending_ = true;
  for (std::size_t i = 0; i < outstanding_; ++i) send_request(*clients_.front());
  loop_.run_until([&] { return next_key_ >= last_key_; }, "one request for each key", seconds(10));
  finish_outstanding();
}

void Load::measure(const std::string& name, Micros time) {
  finish_outstanding();
  sending_ = true;
  for (const auto& client : clients_) {
    for (std::size_t i = 0; i < outstanding_; ++i) send_request(*client);
  }
  run_for(std::min(time / 3, seconds(0.5)));

  counting_ = true;
  latencies_.clear();
  frames_ = 0;
  const double server_cpu = ensemble_.cpu_micros();
  const double own_cpu = own_cpu_micros();
  const Micros begin = now();
  run_for(time);
  const auto passed = static_cast<double>(now() - begin);
  const auto count = static_cast<double>(latencies_.size());
  measurements_.record(name + ".p50", median(latencies_));
  measurements_.record(name + ".p99", percentile(latencies_, 0.99));
  measurements_.record(name + ".rate", count / passed * 1e6);
  measurements_.record(name + ".cpu", (ensemble_.cpu_micros() - server_cpu) / count);
  measurements_.record(name + ".own", (own_cpu_micros() - own_cpu) / count);
  measurements_.record(name + ".batch", count / static_cast<double>(frames_));
  counting_ = false;
  finish_outstanding();
}

void Load::close() {
  for (const auto& client : clients_) {
    if (!client->connection->lost()) client->connection->send_text("{\"op\":\"close\"}");
  }
  const Micros deadline = now() + seconds(3);
  const auto all_closed = [&] {
    return std::ranges::all_of(clients_,
                               [](const auto& client) { return client->connection->lost(); });
  };
  while (!all_closed() && now() < deadline && interrupted == 0) loop_.run_once(10);
  if (!all_closed() && interrupted == 0) {
    measurements_.warn("a session did not close within 3 seconds");
  }
}

}  // namespace bench
