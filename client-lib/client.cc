#include "client-lib/client.h"

#include <exception>
#include <future>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "client-lib/transport.h"
#include "wire/leaves_watch.h"

namespace zabkeeper {

namespace asio = boost::asio;
using std::chrono::milliseconds;

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

}  // namespace

std::vector<Endpoint> servers(std::string_view text) {
  auto endpoints = parse_endpoints(text);
  if (endpoints.has_error()) throw std::invalid_argument(endpoints.error().message);
  return std::move(*endpoints);
}

// All members but `options` are used on `thread` only.
struct Client::Impl {
  explicit Impl(Options given)
      : options(std::move(given)),
        conversation(options.session),
        transport(io, conversation, Hosts(options.servers, {}, random_seed()),
                  {options.attempt_timeout, options.offline_timeout, {}},
                  [this](Action&& action) { perform(std::move(action)); }) {}

  // Until the io_context is stopped. An error that nobody has handled ends the session.
  void run() {
    for (;;) {
      try {
        io.run();
        return;
      } catch (const std::exception& error) {
        fail(error.what());
      }
    }
  }

  void fail(const std::string& reason) {
    transport.stop();
    transport.carry_out(conversation.socket_lost({reason}));
    transport.carry_out(
        conversation.abandon({wire::ErrorCode::system_error, "the client has failed: " + reason}));
  }

  // Actions after this one must be performed even if a callback throws.
  void perform(Action&& action) try {
    perform_one(std::move(action));
  } catch (const std::exception& error) {
    asio::post(io, [this, reason = std::string(error.what())] { fail(reason); });
  }

  void perform_one(Action&& action) {
    if (auto* complete = std::get_if<Complete>(&action)) {
      const auto found = callbacks.find(complete->ticket);
      if (found == callbacks.end()) return;
      const Done done = std::move(found->second);
      callbacks.erase(found);
      if (complete->result.has_error() || has_turn(*complete->result)) {
        watches.erase(complete->ticket);
      }
      if (done) done(std::move(complete->result), complete->zxid);
    } else if (auto* deliver = std::get_if<Deliver>(&action)) {
      const auto found = watches.find(deliver->ticket);
      if (found == watches.end()) return;
      // A copy, because the callback may set and remove watches.
      const OnEvent on_event = found->second;
      if (deliver->last) watches.erase(found);
      if (on_event) on_event(deliver->event);
    } else if (auto* event = std::get_if<SessionEvent>(&action)) {
      if (options.on_session) options.on_session(*event);
    }
  }

  Ticket request(wire::Request wanted, Done done, OnEvent on_event, wire::Encoding encoding,
                 std::vector<wire::Condition> conditions = {}) {
    if (const auto* unwatch = std::get_if<wire::UnwatchRequest>(&wanted)) {
      std::erase_if(watches, [&](const auto& watch) {
        return std::to_string(watch.first.value) == unwatch->watch.json;
      });
    }
    const bool with_watch = wire::leaves_watch(wanted);
    Actions actions;
    const Ticket ticket =
        conversation.request(std::move(wanted), actions, encoding, std::move(conditions));
    callbacks.emplace(ticket, std::move(done));
    if (with_watch) watches.emplace(ticket, std::move(on_event));
    transport.carry_out(std::move(actions));
    return ticket;
  }

  // False if a server may have received the request.
  bool withdraw(Ticket ticket) {
    Actions actions;
    if (!conversation.withdraw(ticket, actions)) return false;
    callbacks.erase(ticket);
    watches.erase(ticket);
    transport.carry_out(std::move(actions));
    return true;
  }

  const Options options;
  asio::io_context io{1};
  Conversation conversation;
  Transport transport;
  std::map<Ticket, Done> callbacks;
  std::map<Ticket, OnEvent> watches;
  std::thread thread;
};

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
  impl_->transport.start();
  impl_->thread =
      std::thread([impl = impl_.get(), work = asio::make_work_guard(impl_->io)] { impl->run(); });
}

Client::~Client() {
  ensure(std::this_thread::get_id() != impl_->thread.get_id(),
         "a callback must not destroy its client");
  const auto closed = std::make_shared<std::promise<void>>();
  auto wait = closed->get_future();
  send(wire::CloseRequest{}, [closed](const auto&, wire::Zxid) { closed->set_value(); });
  wait.wait_for(std::chrono::seconds(1));
  asio::post(impl_->io, [impl = impl_.get()] {
    const std::string reason = "the client was destroyed";
    impl->transport.stop();
    impl->transport.carry_out(impl->conversation.socket_lost({reason}));
    impl->transport.carry_out(impl->conversation.fail_pending(reason));
    impl->io.stop();
  });
  impl_->thread.join();
}

void Client::send(wire::Request request, Done done, OnEvent on_event, wire::Encoding encoding) {
  asio::post(impl_->io, [impl = impl_.get(), request = std::move(request), done = std::move(done),
                         on_event = std::move(on_event), encoding]() mutable {
    impl->request(std::move(request), std::move(done), std::move(on_event), encoding);
  });
}

Client::AnyReply Client::ask(wire::Request request, OnEvent on_event,
                             std::vector<wire::Condition> conditions) {
  ensure(std::this_thread::get_id() != impl_->thread.get_id(),
         "a callback must use the asynchronous calls: a waiting call would wait for itself");
  struct Call {
    std::promise<AnyReply> reply;
    Ticket ticket;
    std::promise<bool> withdrawn;
  };
  const auto call = std::make_shared<Call>();
  auto reply = call->reply.get_future();
  asio::post(impl_->io,
             [impl = impl_.get(), call, request = std::move(request),
              on_event = std::move(on_event), conditions = std::move(conditions)]() mutable {
               const Done done = [call](Result<wire::ReplyBody> body, wire::Zxid zxid) {
                 call->reply.set_value({std::move(body), zxid});
               };
               call->ticket = impl->request(std::move(request), done, std::move(on_event),
                                            wire::Encoding::text_if_utf8, std::move(conditions));
             });
  const milliseconds timeout = impl_->options.call_timeout;
  if (timeout == milliseconds{0} || reply.wait_for(timeout) == std::future_status::ready) {
    return reply.get();
  }
  auto withdrawn = call->withdrawn.get_future();
  asio::post(impl_->io, [impl = impl_.get(), call] {
    call->withdrawn.set_value(impl->withdraw(call->ticket));
  });
  const std::string within = " within " + std::to_string(timeout.count()) + " ms";
  if (withdrawn.get()) {
    return {wire::Error{wire::ErrorCode::not_ready,
                        "the request could not be sent" + within + ": nothing was done"},
            {}};
  }
  if (reply.wait_for(milliseconds{0}) == std::future_status::ready) return reply.get();
  return {wire::Error{wire::ErrorCode::operation_timeout,
                      "no reply" + within + "; the request may still be carried out"},
          {}};
}

Result<wire::CreateReply> Client::create(std::string path, wire::Bytes data, CreateOptions options,
                                         const OnEvent& on_event) {
  return call(wire::CreateRequest{std::move(path), std::move(data), options.ephemeral,
                                  options.sequential, options.container, options.parents,
                                  options.ttl_ms, std::move(options.acl), std::move(options.turn)},
              on_event);
}

Result<wire::GetReply> Client::get(std::string path, wire::ReadOptions read) {
  return call(wire::GetRequest{std::move(path), read});
}

Result<wire::ExistsReply> Client::exists(std::string path, wire::ReadOptions read) {
  return call(wire::ExistsRequest{std::move(path), read});
}

Result<wire::SetReply> Client::set(std::string path, wire::Bytes data, std::int32_t version) {
  return call(wire::SetRequest{std::move(path), std::move(data), version, false});
}

Result<wire::EmptyReply> Client::remove(std::string path, std::int32_t version) {
  return call(wire::DeleteRequest{std::move(path), version, false});
}

Result<wire::EmptyReply> Client::remove_recursively(std::string path) {
  return call(wire::DeleteRequest{std::move(path), wire::any_version, true});
}

Result<wire::ChildrenReply> Client::children(std::string path, wire::ReadOptions read) {
  return call(wire::ChildrenRequest{std::move(path), false, false, {}, {}, read});
}

Result<wire::CountReply> Client::count(std::string path) {
  return call(wire::CountRequest{std::move(path), {}});
}

Result<wire::MultiReply> Client::multi(std::vector<wire::MultiOp> ops) {
  return call(wire::MultiRequest{std::move(ops)});
}

Result<wire::EmptyReply> Client::sync(std::string path) {
  return call(wire::SyncRequest{std::move(path)});
}

Result<wire::WatchReply> Client::watch(std::string path, WatchOptions options,
                                       const OnEvent& on_event) {
  return call(wire::WatchRequest{std::move(path), options.scope, options.once, options.with_data,
                                 options.from, std::move(options.turn)},
              on_event);
}

Result<wire::EmptyReply> Client::unwatch(const wire::RequestId& watch) {
  return call(wire::UnwatchRequest{watch});
}

Result<wire::ClosedReply> Client::close() { return call(wire::CloseRequest{}); }

}  // namespace zabkeeper
