#include "server/startup/room_options.h"

namespace server {

PipelineOptions pipeline_options(const Config& config) {
  PipelineOptions options;
  options.id = config.id;
  options.standalone = config.servers.empty();
  options.advertised = config.advertised;
  options.heartbeat = config.heartbeat;
  options.min_session_timeout = config.min_session_timeout;
  options.max_session_timeout = config.max_session_timeout;
  options.max_outstanding_requests = config.max_outstanding_requests;
  options.max_watches = config.max_watches;
  options.max_multi_ops = config.max_multi_ops;
  options.max_data_bytes = config.max_data_bytes;
  options.read_only_mode = config.read_only_mode;
  options.super_digest = config.super_digest;
  return options;
}

Links::Options links_options(const Config& config) {
  Links::Options options{
      zab::ServerId{config.id}, {}, config.heartbeat, config.sync_limit_heartbeats};
  for (const ServerLine& line : config.servers) {
    options.servers.push_back({line.id, line.peer, line.observer, line.weight, line.group});
  }
  return options;
}

}  // namespace server
