#include "tools/bench/client_of_library.h"

#include <chrono>
#include <stdexcept>
#include <string>

namespace bench {

zabkeeper::Options options_for_ports(Ensemble& ensemble, std::size_t servers) {
  zabkeeper::Options options;
  options.servers.clear();
  for (std::size_t i = 0; i < servers; ++i) {
    options.servers.push_back({{"127.0.0.1", ensemble.port(ensemble.follower() + i)}});
  }
  options.follow_servers = false;
  return options;
}

void require(const zabkeeper::Error& error) {
  if (error) throw std::runtime_error("a request of the C++ client: " + error.message);
}

void run_for(boost::asio::io_context& io, Micros time) {
  io.run_for(std::chrono::microseconds(time));
}

double rate_of(boost::asio::io_context& io, Micros time,
               const std::function<std::size_t()>& count) {
  const std::size_t before = count();
  run_for(io, time);
  return static_cast<double>(count() - before) * 1e6 / static_cast<double>(time);
}

void run_until(boost::asio::io_context& io, const std::function<bool()>& is_done) {
  const Micros deadline = now() + seconds(20);
  while (!is_done()) {
    if (now() > deadline) throw std::runtime_error("the C++ client got no reply for 20 seconds");
    io.run_one_for(std::chrono::milliseconds(100));
  }
}

void close_client(boost::asio::io_context& io, zabkeeper::Client& client) {
  bool is_closed = false;
  client.async_close([&](const zabkeeper::Error&, const wire::ClosedReply&) { is_closed = true; });
  run_until(io, [&] { return is_closed; });
}

}  // namespace bench
