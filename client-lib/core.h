#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "client-lib/completion.h"
#include "client-lib/conversation.h"
#include "client-lib/deadlines.h"
#include "client-lib/options.h"
#include "client-lib/transport.h"

namespace zabkeeper {

// The request of a call, and its options. A copy asks for the same again.
struct Plan {
  wire::Request request;
  OnEvent on_event = {};  // of a request that sets a watch
  std::vector<wire::Condition> conditions = {};
  std::chrono::milliseconds timeout{0};  // 0: none
};

// Is told on the strand that the session has ended, or that it may have.
class SessionListener {
 public:
  virtual void session_ended() = 0;

 protected:
  ~SessionListener() = default;
};

// The part that both kinds of calls share. It begins calls and completes them, on a strand of an
// executor. A call first waits in a line, in the order in which calls are begun. From there it goes
// to the Conversation when the bound of outstanding requests has room.
//
// A caller may leave before the reply: by cancellation, or at its deadline. If the request was not
// sent, it is taken back. Else the core goes on with it: a write is finished, and a new node is
// deleted again if it is ephemeral or has a name that its caller does not know.
class Core : public std::enable_shared_from_this<Core> {
 public:
  enum class Face : std::uint8_t { asynchronous, blocking };

  Core(boost::asio::any_io_executor executor, Options options);

  // Any thread may call the functions below.
  void start();
  [[nodiscard]] CallId next_id() { return {++last_id_}; }
  void begin(CallId id, Plan plan, AnyCompletion completion, Face face);
  // The caller wants to leave. A cancellation that is only `total` leaves a write alone that may
  // have been applied.
  void cancel(CallId id, boost::asio::cancellation_type type);
  // Closes the session if a server can be reached within a second, and ends all calls. Then calls
  // `ended` on the strand. No callback for events is called any more.
  void end(std::function<void()> ended);
  // Ends the session and all calls with SystemError.
  void fail(const std::string& reason);
  // The listener gets the end of the present session, or of the next one if there is none, even
  // while the client is destroyed. Then it does not listen any more. On the strand only.
  void listen(const std::shared_ptr<SessionListener>& listener);
  void unlisten(SessionListener& listener) { listeners_.erase(&listener); }
  // Until then the session certainly exists. Time::max(): no server has promised anything.
  [[nodiscard]] Conversation::Time safe_until() const { return safe_until_; }
  // Whether there is no session any more, and the client opens none. On the strand only.
  [[nodiscard]] bool has_ended() const { return conversation_.ended(); }
  // Whether a blocking call of this thread would wait for itself.
  [[nodiscard]] bool runs_here() const;
  // The strand.
  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  using Strand = boost::asio::strand<boost::asio::any_io_executor>;
  // The step that follows the reply to a request whose caller has left.
  enum class Undo : std::uint8_t { nothing, delete_node, unwatch };
  struct Call {
    Plan plan;                 // moved from when it is sent
    AnyCompletion completion;  // null: the caller has left
    Face face = Face::asynchronous;
    std::size_t bytes = 0;
    Deadlines::Time deadline = Deadlines::none;
    Undo undo = Undo::nothing;
    bool is_write = false;
  };
  struct Sent {
    CallId id;
    Call call;
  };
  // The error of a caller that leaves.
  struct Leave {
    wire::Error not_sent;
    wire::Error sent;
    bool even_from_writes = true;
  };

  [[nodiscard]] bool enter(const Call& call);
  void release(CallId id, const Call& call);
  void admit(CallId id, Call call);
  void pump();
  void send(CallId id, Call call);
  void perform(Action&& action);
  void finish(Complete&& complete);
  void leave(CallId id, const Leave& why);
  void expire(CallId id);
  void undo(Ticket ticket, Undo undo, const wire::Result<wire::ReplyBody>& result);
  boost::asio::awaitable<void> delete_node(std::string path, wire::Zxid czxid);
  void give_up(const std::string& reason);
  void tell_listeners();
  void stop(const wire::Error& error);
  // Lets the strand call the function with this object.
  template <typename Function>
  void post(Function function) {
    boost::asio::post(strand_, [self = shared_from_this(),
                                function = std::move(function)]() mutable { function(*self); });
  }

  const Options options_;
  const boost::asio::any_io_executor inner_;  // the user's
  const Strand strand_;
  const boost::asio::any_io_executor executor_;
  std::atomic<std::uint64_t> last_id_ = 0;
  std::atomic<std::size_t> begun_requests_ = 0;  // by asynchronous calls
  std::atomic<std::size_t> begun_bytes_ = 0;
  std::atomic<bool> silent_ = false;
  std::atomic<Conversation::Time> safe_until_ = Conversation::Time::max();
  // The members below are used on the strand only.
  Conversation conversation_;
  Transport transport_;
  Deadlines deadlines_;
  std::map<CallId, Call> line_;
  std::map<Ticket, Sent> sent_;       // to the conversation
  std::map<CallId, Ticket> tickets_;  // of sent_
  std::size_t sent_bytes_ = 0;
  std::map<Ticket, OnEvent> watches_;
  std::map<SessionListener*, std::weak_ptr<SessionListener>> listeners_;
  std::size_t undoing_ = 0;  // creates whose node has to be deleted; a close waits for them
  boost::asio::steady_timer end_timer_;
  std::function<void()> ended_;
  bool pump_posted_ = false;
  bool stopped_ = false;
};

}  // namespace zabkeeper
