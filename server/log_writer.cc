#include "server/log_writer.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace server {

LogWriter::LogWriter(boost::asio::io_context& io, storage::Log log,
                     std::function<void(const wire::Error&)> failed)
    : io_(io), log_(std::move(log)), failed_(std::move(failed)), thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LogWriter::write(std::vector<zab::Persist> persist, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back({std::move(persist), std::move(done)});
  }
  wake_.notify_one();
}

void LogWriter::run() {
  for (;;) {
    std::vector<Order> orders;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !orders_.empty(); });
      if (orders_.empty()) return;
      orders.swap(orders_);
    }
    for (const Order& order : orders) log_.stage(order.persist);
    if (const auto written = log_.commit(); !written) return failed_(written.error());
    boost::asio::post(io_, [orders = std::move(orders)] {
      for (const Order& order : orders) order.done();
    });
    if (const auto ahead = log_.prepare(); !ahead) return failed_(ahead.error());
  }
}

}  // namespace server
