#include "server/server.h"

#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "server/admin/operator_commands.h"
#include "server/auth/session_password.h"
#include "server/process/ending.h"
#include "server/startup/file_limit.h"
#include "server/startup/open_data.h"
#include "server/startup/room_options.h"
#include "server/version.h"

namespace server {

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
                     [this](auto at, auto level) { driver_.drop_before(at, level); }},
                    checkpointer_rules(config_, program()), found.checkpoint,
                    found.service->level()),
      links_(io, links_options(config_, program(), random_number(), memory_limit),
             callbacks_of(driver_)),
      driver_(io,
              zab::Peer(zab::ServerId{config_.id}, ensemble(config_), peer_limits(config_),
                        std::move(found.log.recovered),
                        zab::ClusterId{random_number(), random_number()}),
              links_, log_, checkpointer_, pipeline_,
              [this](const zab::RoleStatus& status) {
                handover_.role_changed(status);
                halted_lead_.role_changed(status);
              }),
      handover_(io, driver_),
      halted_lead_(io, pipeline_, driver_, handover_),
      ticker_(io, replication_options(config_), environment_, pipeline_, checkpointer_),
      listener_(
          io, listener_options(config_, *ledger_, open_files_max()), pipeline_,
          http_handlers(status_parts(), operator_commands({driver_, pipeline_, handover_,
                                                           checkpointer_, admin_options(config_)})),
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
