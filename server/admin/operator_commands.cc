#include "server/admin/operator_commands.h"

#include <chrono>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "server/admin/operator_lists.h"
#include "wire/zxid.h"
#include "zab/print.h"

namespace server {
namespace {

constexpr std::chrono::milliseconds handover_timeout{10'000};

Answer answer_to(Handover::Outcome outcome, const zab::RoleStatus& role_status) {
  switch (outcome) {
    case Handover::Outcome::done: break;
    case Handover::Outcome::refused:
      return error_answer(503, "NotDone",
                          "no follower caught up in time, and this server was elected again");
    case Handover::Outcome::late:
      return error_answer(503, "NotDone", "no leader was found yet; see /status");
  }
  return json_answer(200,
                     {{"leader", role_status.leader.value}, {"epoch", role_status.epoch.value}});
}

void hand_over(const OperatorParts& parts, const AdminCommands::Arguments& arguments,
               AdminCommands::Done done) {
  const auto to = arguments.find("to");
  const auto wanted =
      successor(to == arguments.end() ? std::string() : to->second, parts.driver.peer());
  if (!wanted) return done(error_answer(409, "NotPossible", wanted.error().message));
  spdlog::info("an operator hands the lead over to {}",
               wanted->none() ? "the first follower that has caught up"
                              : "server " + zab::to_string(*wanted));
  parts.handover.begin(*wanted, handover_timeout,
                       [&pipeline = parts.pipeline, done = std::move(done)](auto outcome) {
                         done(answer_to(outcome, pipeline.role_status()));
                       });
}

void set_level(Pipeline& pipeline, const AdminCommands::Arguments& arguments,
               AdminCommands::Done done) {
  const auto to = arguments.find("to");
  const auto number = to == arguments.end() ? std::nullopt : number_of<std::uint32_t>(to->second);
  if (!number) return done(error_answer(400, "BadArguments", "to must be a level: a whole number"));
  const wire::Level level{*number};
  pipeline.set_level(level, [level, done = std::move(done)](const auto& changed) {
    if (!changed) return done(error_answer(409, "NotPossible", changed.error().message));
    done(json_answer(200, {{"level", level.value}}));
  });
}

void take_checkpoint(Checkpointer& checkpointer, AdminCommands::Done done) {
  checkpointer.take([&checkpointer, done = std::move(done)](const wire::Result<void>& taken) {
    if (!taken) return done(error_answer(503, "NotDone", taken.error().message));
    const CheckpointReport& report = checkpointer.report();
    done(json_answer(200, {{"zxid", wire::to_hex(report.at)}, {"bytes", report.bytes}}));
  });
}

void end_session(Pipeline& pipeline, const AdminCommands::Arguments& arguments,
                 AdminCommands::Done done) {
  const auto id = arguments.find("id");
  const auto bits = id == arguments.end() ? std::nullopt : wire::from_hex(id->second);
  if (!bits) {
    return done(error_answer(400, "BadArguments", "id must be a session: 16 hexadecimal digits"));
  }
  pipeline.end_session({*bits}, [bits = *bits, done = std::move(done)](const auto& ended) {
    if (!ended) return done(error_answer(409, "NotPossible", ended.error().message));
    spdlog::info("an operator has ended session {}", wire::to_hex(bits));
    done(json_answer(200, {{"session", wire::to_hex(bits)}}));
  });
}

}  // namespace

AdminCommands operator_commands(const OperatorParts& parts) {
  AdminCommands commands;
  commands.add("handover", {"to"}, [parts](const auto& arguments, AdminCommands::Done done) {
    hand_over(parts, arguments, std::move(done));
  });
  commands.add("level", {"to"}, [parts](const auto& arguments, AdminCommands::Done done) {
    set_level(parts.pipeline, arguments, std::move(done));
  });
  commands.add("checkpoint", {}, [parts](const auto&, AdminCommands::Done done) {
    take_checkpoint(parts.checkpointer, std::move(done));
  });
  commands.add("configuration", {}, [options = parts.options](const auto&, const auto& done) {
    done(configuration_answer(options));
  });
  commands.add("sessions/kill", {"id"}, [parts](const auto& arguments, AdminCommands::Done done) {
    end_session(parts.pipeline, arguments, std::move(done));
  });
  commands.add("sessions", {"after", "at"}, [parts](const auto& arguments, const auto& done) {
    done(sessions_answer(parts.pipeline, arguments));
  });
  commands.add("watches", {"from", "least"}, [parts](const auto& arguments, const auto& done) {
    done(watches_answer(parts.pipeline, arguments));
  });
  return commands;
}

}  // namespace server
