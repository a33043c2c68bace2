#include "client-lib/core.h"

#include <optional>
#include <random>
#include <type_traits>
#include <variant>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "client-lib/requests.h"
#include "wire/leaves_watch.h"

namespace zabkeeper {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using wire::ErrorCode;

namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// Whether the turn that a request asked for is there already, so that no event follows.
bool has_turn(const wire::ReplyBody& reply) {
  return std::visit(
      [](const auto& each) {
        if constexpr (requires { each.turn; }) return each.turn == true;
        return false;
      },
      reply);
}

// Whether this thread runs what is posted to the executor.
bool runs_here(const asio::any_io_executor& executor) {
  if (const auto* io = executor.target<asio::io_context::executor_type>()) {
    return io->running_in_this_thread();
  }
  if (const auto* pool = executor.target<asio::thread_pool::executor_type>()) {
    return pool->running_in_this_thread();
  }
  if (const auto* strand = executor.target<asio::strand<asio::io_context::executor_type>>()) {
    return strand->get_inner_executor().running_in_this_thread();
  }
  if (const auto* strand = executor.target<asio::strand<asio::any_io_executor>>()) {
    return runs_here(strand->get_inner_executor());
  }
  return false;
}

}  // namespace

Core::Core(asio::any_io_executor executor, Options options)
    : options_(std::move(options)),
      inner_(std::move(executor)),
      strand_(asio::make_strand(inner_)),
      executor_(strand_),
      conversation_(options_.session),
      transport_(executor_, conversation_, Hosts(options_.servers, {}, random_seed()),
                 {options_.attempt_timeout, options_.offline_timeout, options_.follow_servers},
                 {[this](Action&& action) { perform(std::move(action)); },
                  [this](const std::string& reason) { give_up(reason); },
                  [this](std::optional<Conversation::Time> time) {
                    safe_until_ = time.value_or(Conversation::Time::max());
                  },
                  [this](const std::string& reason) { fail(reason); }}),
      deadlines_(executor_, [this](CallId id) { expire(id); }),
      end_timer_(executor_) {}

void Core::start() {
  post([](Core& core) { core.transport_.start(core.weak_from_this()); });
}

bool Core::runs_here() const {
  return strand_.running_in_this_thread() || zabkeeper::runs_here(inner_);
}

// --- The line ---

bool Core::enter(const Call& call) {
  if (call.face == Face::blocking) return true;  // It has a thread of its own to wait in.
  const std::size_t requests = ++begun_requests_;
  const std::size_t bytes = begun_bytes_ += call.bytes;
  if (requests == 1) return true;
  if (requests <= options_.begun.requests && bytes <= options_.begun.bytes) return true;
  --begun_requests_;
  begun_bytes_ -= call.bytes;
  return false;
}

void Core::release(CallId id, const Call& call) {
  deadlines_.remove(call.deadline, id);
  if (call.face == Face::blocking) return;
  --begun_requests_;
  begun_bytes_ -= call.bytes;
}

void Core::begin(CallId id, Plan plan, AnyCompletion completion, Face face) {
  Call call;
  call.plan = std::move(plan);
  call.completion = std::move(completion);
  call.face = face;
  call.bytes = bytes_of(call.plan.request);
  if (call.plan.timeout > milliseconds{0}) {
    call.deadline = steady_clock::now() + call.plan.timeout;
  }
  if (!enter(call)) {
    return complete(
        std::move(call.completion),
        {wire::Error{ErrorCode::overloaded,
                     "more calls are outstanding than the option `begun` allows; nothing was done"},
         {}});
  }
  post([id, call = std::move(call)](Core& core) mutable { core.admit(id, std::move(call)); });
}

void Core::admit(CallId id, Call call) {
  deadlines_.add(call.deadline, id, weak_from_this());
  line_.emplace(id, std::move(call));
  pump();
}

// Not called while actions are carried out: requests must be sent in the order of their tickets.
void Core::pump() {
  while (!line_.empty()) {
    const Call& next = line_.begin()->second;
    const bool has_room = sent_.size() < options_.outstanding.requests &&
                          sent_bytes_ + next.bytes <= options_.outstanding.bytes;
    if (!has_room && !sent_.empty()) return;
    const bool closes = std::holds_alternative<wire::CloseRequest>(next.plan.request);
    if (closes && undoing_ > 0 && !stopped_) return;
    auto first = line_.extract(line_.begin());
    send(first.key(), std::move(first.mapped()));
  }
}

void Core::send(CallId id, Call call) {
  Plan plan = std::move(call.plan);
  if (const auto* unwatch = std::get_if<wire::UnwatchRequest>(&plan.request)) {
    watches_.erase(ticket_of(unwatch->watch));
  }
  const bool leaves_watch = wire::leaves_watch(plan.request);
  call.is_write = is_write(plan.request);
  if (const auto* create = std::get_if<wire::CreateRequest>(&plan.request)) {
    if (create->ephemeral || create->sequential) call.undo = Undo::delete_node;
  } else if (leaves_watch) {
    call.undo = Undo::unwatch;
  }

  Actions actions;
  const Ticket ticket = conversation_.request(
      std::move(plan.request), actions, wire::Encoding::text_if_utf8, std::move(plan.conditions));
  if (leaves_watch) watches_.emplace(ticket, std::move(plan.on_event));
  tickets_.emplace(id, ticket);
  sent_bytes_ += call.bytes;
  sent_.emplace(ticket, Sent{id, std::move(call)});
  transport_.carry_out(std::move(actions));
}

// --- Replies and events ---

void Core::perform(Action&& action) {
  const auto is_heard = [self = shared_from_this()] { return !self->silent_; };
  if (auto* complete = std::get_if<Complete>(&action)) {
    finish(std::move(*complete));
  } else if (auto* deliver = std::get_if<Deliver>(&action)) {
    const auto found = watches_.find(deliver->ticket);
    if (found == watches_.end()) return;
    found->second.post(executor_, std::move(deliver->event), is_heard);
    if (deliver->last) watches_.erase(found);
  } else if (auto* event = std::get_if<SessionEvent>(&action)) {
    const bool is_end =
        event->kind == SessionEvent::Kind::expired || event->kind == SessionEvent::Kind::closed;
    options_.on_session.post(executor_, std::move(*event), is_heard);
    if (!is_end) return;
    watches_.clear();  // A close removes them without an event.
    tell_listeners();
  }
}

void Core::finish(Complete&& done) {
  auto found = sent_.extract(done.ticket);
  if (found.empty()) return;
  auto& [id, call] = found.mapped();
  tickets_.erase(id);
  sent_bytes_ -= call.bytes;
  release(id, call);
  if (done.result.has_error() || has_turn(*done.result)) watches_.erase(done.ticket);
  if (call.completion) {
    complete(std::move(call.completion), {std::move(done.result), done.zxid});
  } else {
    undo(done.ticket, call.undo, done.result);
  }
  if (line_.empty() || std::exchange(pump_posted_, true)) return;
  post([](Core& core) {
    core.pump_posted_ = false;
    core.pump();
  });
}

// No server was found in time.
void Core::give_up(const std::string& reason) {
  transport_.carry_out(conversation_.fail_pending(reason));
  const wire::Error error{ErrorCode::not_ready, "no server accepted the session (" + reason +
                                                    "); the request was not sent"};
  for (auto& [id, call] : std::exchange(line_, {})) {
    release(id, call);
    complete(std::move(call.completion), {error, {}});
  }
}

void Core::listen(const std::shared_ptr<SessionListener>& listener) {
  listeners_[listener.get()] = listener;
}

// Later, because the listeners begin calls.
void Core::tell_listeners() {
  for (auto& [key, listener] : std::exchange(listeners_, {})) {
    asio::post(strand_, [listener = std::move(listener)] {
      if (const auto alive = listener.lock()) alive->session_ended();
    });
  }
}

// --- The end ---

void Core::end(std::function<void()> ended) {
  silent_ = true;
  post([ended = std::move(ended)](Core& core) mutable {
    core.ended_ = std::move(ended);
    const wire::Error error{ErrorCode::session_expired, "the client was destroyed"};
    if (core.stopped_) return core.stop(error);
    const auto stop = [self = core.shared_from_this(), error](auto&&...) { self->stop(error); };
    core.end_timer_.expires_after(std::chrono::seconds(1));
    core.end_timer_.async_wait(stop);
    const auto then = [](const auto& handler, AnyReply&&) { handler(); };
    core.begin(
        core.next_id(), {wire::CloseRequest{}},
        HandlerCompletion<decltype(stop), decltype(then), Strand>::make(stop, then, core.strand_),
        Face::blocking);
  });
}

void Core::fail(const std::string& reason) {
  post([reason](Core& core) {
    core.stop({ErrorCode::system_error, "the client has failed: " + reason});
  });
}

void Core::stop(const wire::Error& error) {
  if (!std::exchange(stopped_, true)) {
    end_timer_.cancel();
    transport_.stop();
    transport_.carry_out(conversation_.socket_lost({error.message}));
    transport_.carry_out(conversation_.abandon(error));
    pump();
  }
  // After the handlers that were posted before.
  if (ended_) asio::post(strand_, std::exchange(ended_, {}));
}

}  // namespace zabkeeper
