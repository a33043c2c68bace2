#include "server/peers/names.h"

#include <mutex>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "server/peers/completion.h"
#include "server/threads/thread.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Waits as long as the name server, or its timeouts, take.
Names::Answer look_up(const std::string& host, std::uint16_t port) {
  asio::io_context io;
  tcp::resolver resolver(io);
  error_code error;
  const auto found = resolver.resolve(host, std::to_string(port), error);
  Names::Answer answer;
  if (error) answer.problem = error.message();
  for (const auto& entry : found) answer.endpoints.push_back(entry.endpoint());
  return answer;
}

}  // namespace

// Closed when nobody waits for answers any more.
class Names::Door {
 public:
  explicit Door(Names& names) : names_(&names) {}

  void close() {
    const std::lock_guard lock(mutex_);
    names_ = nullptr;
  }

  // On a thread.
  void give(const Key& key, Answer answer, std::shared_ptr<Door> self) {
    const std::lock_guard lock(mutex_);
    if (names_ == nullptr) return;
    asio::post(names_->io_, [self = std::move(self), key, answer = std::move(answer)]() mutable {
      if (self->names_ != nullptr) self->names_->answered(key, std::move(answer));
    });
  }

 private:
  std::mutex mutex_;
  Names* names_;  // changes on the event loop only
};

Names::Names(asio::io_context& io) : io_(io), door_(std::make_shared<Door>(*this)) {}

Names::~Names() { door_->close(); }

asio::awaitable<Names::Answer> Names::resolve(wire::Address address,
                                              std::chrono::milliseconds patience) {
  error_code is_name;
  const auto literal = asio::ip::make_address(address.host, is_name);
  if (!is_name) co_return Answer{{{literal, address.port}}, {}};

  const Key key{address.host, address.port};
  Name& name = names_[key];  // stays where it is
  if (!name.is_asked) ask(key);
  if (name.is_asked) {
    const auto timer = std::make_shared<asio::steady_timer>(io_, patience);
    name.waiting.push_back(timer);
    co_await timer->async_wait(use_tuple);
    std::erase(name.waiting, timer);
  }
  Answer answer = name.last;
  if (name.is_asked) answer.problem = "no name server answers";
  co_return answer;
}

void Names::ask(const Key& key) {
  names_[key].is_asked = true;
  try {
    start_thread("that asks a name server", [key, door = door_] {
      door->give(key, look_up(key.first, key.second), door);
    }).detach();
  } catch (const std::system_error& none) {
    answered(key, {{}, none.what()});
  }
}

void Names::answered(const Key& key, Answer answer) {
  Name& name = names_[key];
  name.is_asked = false;
  if (answer.problem.empty()) name.last.endpoints = std::move(answer.endpoints);
  name.last.problem = std::move(answer.problem);
  for (const auto& timer : name.waiting) timer->cancel();
}

}  // namespace server
