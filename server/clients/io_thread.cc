#include "server/clients/io_thread.h"

#include <atomic>
#include <functional>
#include <list>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "server/clients/mailbox.h"
#include "server/clients/outbox.h"

namespace server {
namespace {

namespace asio = boost::asio;
using WorkGuard = asio::executor_work_guard<asio::io_context::executor_type>;

// Of one client, that the event loop has not seen yet: then no more is read of it until half of
// them are done with. Each may be as long as a frame may.
constexpr int untaken_max = 32;

}  // namespace

class IoThread::Worker {
 public:
  Worker(asio::io_context& main, const ClientLimits& limits)
      : shared{limits}, main_(main), here_(io), there_(main), thread_([this] { io.run(); }) {}
  ~Worker() {
    io.stop();
    thread_.join();
  }

  // From the event loop: done on this thread. What the event loop asks for in one turn comes
  // together.
  void do_here(std::function<void()> task) {
    asked_.push_back(std::move(task));
    if (asked_.size() > 1) return;
    asio::post(main_, [this] {
      here_.post([tasks = std::exchange(asked_, {})] {
        for (const auto& each : tasks) each();
      });
    });
  }
  // From this thread: done on the event loop.
  void do_there(std::function<void()> task) { there_.post(std::move(task)); }
  [[nodiscard]] WorkGuard keep_main_busy() const { return asio::make_work_guard(main_); }

  Shared shared;  // outlives the connections, which end with `io`
  asio::io_context io{1};
  // Nobody else holds a connection that waits for nothing.
  std::unordered_set<std::shared_ptr<ServedConnection>> open;

 private:
  asio::io_context& main_;
  std::vector<std::function<void()>> asked_;
  Mailbox here_;
  Mailbox there_;
  WorkGuard busy_{asio::make_work_guard(io)};
  std::thread thread_;
};

// The connection as the event loop sees it.
class IoThread::Far final : public ClientConnection, public std::enable_shared_from_this<Far> {
 public:
  Far(Worker& worker, ClientHandler& handler, const Accepted& client)
      : worker_(worker),
        handler_(handler),
        remote_address_(client.remote_address),
        format_(client.format),
        place_(client.place),
        busy_(worker.keep_main_busy()) {}

  // On the event loop.

  void send(const wire::ServerMessage& message) override {
    if (closing_) return;
    std::string written;
    append_message(message, format_, written);
    if ((unsaid_ += written.size()) + queued_ > worker_.shared.limits.queued_bytes_max) {
      closing_ = true;
      take_soon();
      return do_here([](Far&, ServedConnection& near) { near.close_as_too_slow(); });
    }
    do_here([written = std::move(written)](Far& self, ServedConnection& near) {
      self.unsaid_ -= written.size();
      near.send_encoded(written);
      self.sent(near);
    });
  }
  void allow_batches() override {
    do_here([](Far&, ServedConnection& near) { near.allow_batches(); });
  }
  void close(CloseCode code, std::string reason) override {
    closing_ = true;
    take_soon();
    do_here([code, reason = std::move(reason)](Far&, ServedConnection& near) {
      near.close(code, reason);
    });
  }
  // What has come is held back; it is not long until no more is read.
  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    take_soon();
  }
  void ping_every(std::chrono::milliseconds interval) override {
    do_here([interval](Far&, ServedConnection& near) { near.ping_every(interval); });
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return unsaid_ + queued_; }
  [[nodiscard]] std::string remote_address() const override { return remote_address_; }

  // On the client's thread.

  void opened() {
    do_there([](Far& self) { self.handler_.opened(self.shared_from_this()); });
  }
  void is_served_by(const std::shared_ptr<ServedConnection>& near) {
    near_ = near;
    worker_.open.insert(near);
  }
  void received(ClientConnection& near, wire::ParsedFrame frame) { told(near, std::move(frame)); }
  void alive(ClientConnection& near) { told(near, Alive{}); }
  void closed() {
    worker_.open.erase(near_.lock());
    do_there([](Far& self) { self.tell(Gone{}); });
  }
  void sent(const ClientConnection& near) { queued_ = near.queued_bytes(); }

 private:
  struct Alive {};
  struct Gone {};
  using Told = std::variant<Alive, wire::ParsedFrame, Gone>;

  // If the client is still there.
  template <class Task>
  void do_here(Task task) {
    worker_.do_here([self = shared_from_this(), task = std::move(task)] {
      if (const auto near = self->near_.lock()) task(*self, *near);
    });
  }
  template <class Task>
  void do_there(Task task) {
    worker_.do_there(
        [self = shared_from_this(), task = std::move(task)]() mutable { task(*self); });
  }

  void told(ClientConnection& near, Told what) {
    do_there([what = std::move(what)](Far& self) mutable { self.tell(std::move(what)); });
    if (++untaken_ < untaken_max) return;
    near.pause();
    overfull_ = true;
    if (is_taken_up() && overfull_.exchange(false)) near.resume();
  }
  void tell(Told what) {
    untaken_told_.push_back(std::move(what));
    take();
  }
  // What came before the client's end is told before it. What comes after the server's own close is
  // of no interest but for that end.
  void take() {
    while (!untaken_told_.empty() && (!paused_ || closing_)) {
      Told what = std::move(untaken_told_.front());
      untaken_told_.pop_front();
      if (std::holds_alternative<Gone>(what)) return end();
      --untaken_;
      if (closing_) continue;
      if (auto* frame = std::get_if<wire::ParsedFrame>(&what)) {
        handler_.received(*this, std::move(*frame));
      } else {
        handler_.alive(*this);
      }
    }
    // Whoever of the two threads finds it so lets the client go on.
    if (!is_taken_up() || !overfull_.exchange(false)) return;
    do_here([](Far&, ServedConnection& near) { near.resume(); });
  }
  void take_soon() {
    asio::post(busy_->get_executor(), [self = shared_from_this()] { self->take(); });
  }
  void end() {
    closing_ = true;
    handler_.closed(*this);
    place_.reset();
    busy_->reset();
  }
  [[nodiscard]] bool is_taken_up() const { return closing_ || untaken_ <= untaken_max / 2; }

  Worker& worker_;
  ClientHandler& handler_;
  const std::string remote_address_;
  const wire::Format format_;

  // On the event loop.
  std::shared_ptr<void> place_;
  std::optional<WorkGuard> busy_;
  std::list<Told> untaken_told_;
  bool paused_ = false;

  std::weak_ptr<ServedConnection> near_;  // on the client's thread

  // On both.
  std::atomic<bool> closing_ = false;
  std::atomic<std::size_t> unsaid_ = 0;  // bytes that are on their way to the client's thread
  std::atomic<std::size_t> queued_ = 0;  // and that wait there
  std::atomic<int> untaken_ = 0;
  std::atomic<bool> overfull_ = false;
};

// What the connection tells, on its own thread. Lives as long as the connection.
class IoThread::Near final : public ClientHandler {
 public:
  explicit Near(std::shared_ptr<Far> far) : far_(std::move(far)) {}

  void opened(const std::shared_ptr<ClientConnection>&) override { far_->opened(); }
  void received(ClientConnection& connection, wire::ParsedFrame frame) override {
    far_->received(connection, std::move(frame));
  }
  void alive(ClientConnection& connection) override { far_->alive(connection); }
  void sent(ClientConnection& connection) override { far_->sent(connection); }
  void closed(ClientConnection&) override { far_->closed(); }

 private:
  const std::shared_ptr<Far> far_;
};

IoThread::IoThread(asio::io_context& main, const ClientLimits& limits)
    : worker_(std::make_unique<Worker>(main, limits)) {}

IoThread::~IoThread() = default;

void IoThread::serve(Accepted client, ClientHandler& handler) {
  auto far = std::make_shared<Far>(*worker_, handler, client);
  auto near = std::make_shared<Near>(far);
  client.place = near;
  worker_->do_here(
      [worker = worker_.get(), far, near, client = std::make_shared<Accepted>(std::move(client))] {
        client->stream.move_to(worker->io);
        far->is_served_by(server::serve(std::move(*client), *near, worker->shared));
      });
}

const ConnectionCounters& IoThread::counters() const { return worker_->shared.counters; }

}  // namespace server
