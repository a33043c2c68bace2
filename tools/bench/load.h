#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/connection.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/event_loop.h"
#include "tools/bench/measurements.h"
#include "tools/bench/request.h"

namespace bench {

// Clients that each keep `outstanding` requests under way: a request follows every reply.
class Load {
 public:
  Load(Ensemble& ensemble, Measurements& measurements, Request request, std::size_t outstanding);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { close(); }

  // Adds a client of the server on this port.
  void connect(std::uint16_t port);
  // Records throughput, latency and processor time under `name`, after a warm-up.
  void measure(const std::string& name, Micros time);
  // Sends one request for each key, from the first client.
  void send_every_key();

 private:
  struct Client {
    std::unique_ptr<Connection> connection;
    std::uint32_t next_id = Request::first_id;
    std::uint32_t awaited_id = Request::first_id;
    std::vector<Micros> sent_at;  // of the outstanding requests, by id modulo their number
  };

  void send_request(Client& client);
  void on_frame(Client& client, std::string_view text);
  void run_for(Micros time);
  void finish_outstanding();
  void close();
  void require_all_open();

  Ensemble& ensemble_;
  Measurements& measurements_;
  Request request_;
  const std::size_t outstanding_;
  EventLoop loop_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint32_t next_key_ = 0;
  std::uint32_t last_key_ = UINT32_MAX;
  bool sending_ = false;
  bool counting_ = false;
  std::size_t frames_ = 0;
  std::vector<double> latencies_;
};

}  // namespace bench
