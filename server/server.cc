#include "server/server.h"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/admin/operator_commands.h"
#include "server/admin/pages.h"
#include "server/auth/session_password.h"
#include "server/logging/process_log.h"
#include "server/process/exit_codes.h"
#include "server/startup/file_limit.h"
#include "server/startup/open_data.h"
#include "server/startup/room_options.h"
#include "server/version.h"

namespace server {
namespace {

constexpr std::chrono::seconds lead_timeout{10};
// Between two attempts of a leader that has halted.
constexpr std::chrono::seconds between_handovers{30};

// The voter with the next greater id than `after`, or the first one; this server is left out.
std::uint32_t next_voter(const Config& config, std::uint32_t after) {
  std::uint32_t first = 0;
  for (const ServerLine& line : config.servers) {  // by id
    if (line.observer || line.id == config.id) continue;
    if (line.id > after) return line.id;
    if (first == 0) first = line.id;
  }
  return first;
}

// After a failed sync it is not known what is on the disk, and earlier promises are not certain. A
// second sync could succeed without writing anything, so none is tried.
[[noreturn]] void exit_on_log_failure(const wire::Error& error) {
  if (error.code == wire::ErrorCode::unimplemented) {  // a snapshot of a newer program
    log_final_message(error.message + ". The server stops");
    std::_Exit(exit_start);
  }
  log_final_message(
      "the log cannot be written: " + error.message +
      ". The server stops, because it can no longer promise that anything is durable; "
      "correct the reason, then start the server again");
  std::_Exit(exit_disk);
}

}  // namespace

wire::Result<std::unique_ptr<Server>> Server::start(boost::asio::io_context& io, Config config,
                                                    std::uint64_t memory_limit) {
  auto found = open_data(data_options(config, program(), new_hash_key(), memory_limit));
  if (!found) return found.error();
  std::unique_ptr<Server> server(
      new Server(io, std::move(config), memory_limit, std::move(*found)));
  if (const auto running = server->run(); !running) return running.error();
  return server;
}

// Parts that call each other get references to members that are constructed later. That is safe: no
// such call is made before `run`. The log's thread runs earlier, and only posts to the event loop.
Server::Server(boost::asio::io_context& io, Config config, std::uint64_t memory_limit,
               RecoveredState found)
    : io_(io),
      config_(std::move(config)),
      lock_(std::move(found.lock)),
      lead_timer_(io),
      ledger_(Ledger::make(memory_limit, budgets_of(config_, memory_limit))),
      disk_(config_.log_dir),
      environment_(config_.id, server_ids(config_), driver_, links_, log_),
      pipeline_(pipeline_options(config_, new_hash_key(), memory_limit), random_number(),
                environment_, ledger_),
      checkpoint_(checkpoint_path(config_.data_dir.string())),
      incoming_(checkpoint_, zab::ServerId{config_.id}, program(),
                data_options(config_, program(), new_hash_key(), memory_limit).service,
                [this](std::unique_ptr<session::Service> service, zab::Point at) {
                  boost::asio::post(io_, [this, at, loaded = std::shared_ptr(std::move(service))] {
                    driver_.restored(std::move(*loaded), at);
                  });
                }),
      log_(io, std::move(found.log.log), incoming_, exit_on_log_failure),
      checkpointer_(io, checkpoint_, pipeline_.replica().service(),
                    {[this](auto done) { log_.write({}, std::move(done)); },
                     [this](auto at, auto keep_bytes) { log_.purge(at, keep_bytes); },
                     [this] { return log_.greatest_level(); },
                     [this](auto at, auto level) { drop_before(at, level); }},
                    checkpointer_rules(config_, program()), found.checkpoint,
                    found.service->level()),
      links_(io, links_options(config_, program(), random_number()), callbacks_of(driver_)),
      driver_(io,
              zab::Peer(zab::ServerId{config_.id}, ensemble(config_), peer_limits(config_),
                        std::move(found.log.recovered),
                        zab::ClusterId{random_number(), random_number()}),
              links_, log_, checkpointer_, pipeline_,
              [this](const zab::RoleStatus& status) {
                handover_.role_changed(status);
                leave_lead_if_halted(status);
              }),
      handover_(io, driver_),
      ticker_(io, replication_options(config_), environment_, pipeline_, checkpointer_),
      listener_(io, listener_options(config_, *ledger_, open_files_max()), pipeline_,
                http_handlers(status_parts(),
                              operator_commands({driver_, pipeline_, handover_, checkpointer_})),
                ledger_),
      shutdown_(io, replication_options(config_),
                {listener_, pipeline_, handover_, ticker_, links_, checkpointer_}) {
  pipeline_.replica().become(std::move(*found.service));
  // A learner that needs unreadable records gets the checkpoint instead, and after it the log from
  // there on. So take a checkpoint now: it covers the damaged part of the log.
  log_.when_unreadable([this] { checkpointer_.take([](const wire::Result<void>&) {}); });
}

StatusParts Server::status_parts() {
  return {admin_options(config_), pipeline_, driver_,  links_, log_,
          checkpointer_,          listener_, *ledger_, disk_,  version};
}

std::string Server::status() {
  const StatusParts parts = status_parts();
  std::string text =
      page("GET", "/status", {[&] { return read_status(parts); }, [] { return std::string(); }})
          .body;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// Before this server has caught up, its state is of an earlier level than its log.
void Server::drop_before(zab::Point checkpoint, wire::Level level) {
  if (!pipeline_.role_status().serving) return;
  log_.set_level(level);
  log_.purge(checkpoint, 0);
  driver_.forget_history(checkpoint.zxid);
}

// Two servers that have halted would hand the lead to each other for ever: so each tries again only
// after a while, with another successor.
void Server::leave_lead_if_halted(const zab::RoleStatus& role_status) {
  if (!pipeline_.replica().halt() || !role_status.serving || role_status.role != zab::Role::leading)
    return;
  if (config_.servers.size() < 2 || leaves_lead_) return;
  leaves_lead_ = true;
  successor_ = next_voter(config_, successor_);
  spdlog::warn(
      "this server leads, and cannot apply what is committed: it hands its lead to server {}",
      successor_);
  handover_.begin(zab::ServerId{successor_}, lead_timeout, [](Handover::Outcome) {});
  lead_timer_.expires_after(between_handovers);
  lead_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    leaves_lead_ = false;
    leave_lead_if_halted(driver_.peer().role_status());
  });
}

wire::Result<void> Server::run() {
  if (const auto problem = listener_.start()) {
    return wire::Error{wire::ErrorCode::system_error, *problem};
  }
  // With webPort=0 the system has chosen a port, which is known only now.
  if (config_.servers.empty() && config_.web.port == 0) {
    pipeline_.advertise({web_url({config_.web.host, listener_.bound().port})});
  }
  if (!config_.servers.empty()) {
    if (const auto started = links_.start(); !started) return started.error();
  }
  driver_.start();
  ticker_.start();
  return {};
}

}  // namespace server
