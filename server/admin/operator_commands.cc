#include "server/admin/operator_commands.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

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

std::optional<wire::Level> level_of(std::string_view text) {
  wire::Level level;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level.value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return level;
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
  const auto level = to == arguments.end() ? std::nullopt : level_of(to->second);
  if (!level) return done(error_answer(400, "BadArguments", "to is no level: a whole number"));
  pipeline.set_level(*level, [level = *level, done = std::move(done)](const auto& changed) {
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
  return commands;
}

}  // namespace server
