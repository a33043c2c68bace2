#include "tools/shell/runner.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <stdexcept>
#include <unistd.h>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/archive.h"
#include "tools/shell/child.h"
#include "tools/shell/input.h"
#include "tools/shell/interruptible.h"
#include "tools/shell/only_request.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"
#include "tools/shell/time_limit.h"
#include "tools/shell/words.h"
#include "wire/json.h"
#include "wire/limits.h"
#include "wire/terminal_text.h"
#include "wire/utf8.h"

namespace shell {
namespace {

using std::chrono::steady_clock;

// One byte more than any server takes is refused as too large.
std::string data_of_file(const std::string& file) try {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Ended{exit_other, file + ": " + std::strerror(errno)};
  const std::unique_ptr<const int, void (*)(const int*)> closed(
      &descriptor, [](const int* open) { ::close(*open); });
  return Input(descriptor).rest(wire::data_bytes_max);
} catch (const InputFailed& failed) {
  throw Ended{exit_other, file + ": " + failed.what()};
}

constexpr std::string_view time_is_over = "the time of --timeout is over";
constexpr std::string_view no_server_in_time =
    "no server accepted the session within the time of --timeout: nothing was done (NotReady)";

}  // namespace

Runner::Runner(Settings settings, std::function<zabkeeper::Client&()> client, Output& out,
               Output& err)
    : settings_(std::move(settings)), client_(std::move(client)), out_(out), err_(err) {}

int Runner::run(const Command& command, const Common& common) {
  begin(common);
  const bool is_own =
      std::visit([](const auto& each) { return has_own_timeout<decltype(each)>; }, command);
  const bool is_limited = common.timeout && (!is_own || ends_when_interrupted(command));
  std::optional<TimeLimit> limit;
  if (is_limited) {
    deadline_ = steady_clock::now() + *common.timeout;
    limit.emplace(*deadline_);
  }
  carry_out(command);
  const bool is_ended_by_limit = limit && limit->has_passed() &&
                                 (ends_when_interrupted(command) || exit_code_ == exit_interrupted);
  if (is_ended_by_limit) fail(exit_timeout, std::string(time_is_over));
  out_.flush();
  if (ended_by_ && settings_.mode == Mode::interactive) end_by_signal(*ended_by_);
  return exit_code_;
}

int Runner::run(const Command& command, const Common& common, Answered answered) {
  begin(common);
  answered_ = std::move(answered);
  carry_out(command);
  if (answered_) throw std::logic_error("a command did not use the reply to its request");
  return exit_code_;
}

void Runner::begin(const Common& common) {
  common_ = common;
  json_ = common.format == Format::json || common.format == Format::jsonl;
  deadline_.reset();
  exit_code_ = exit_ok;
}

zabkeeper::AnyReply Runner::send(wire::Request request) {
  const zabkeeper::Calls limited = calls();
  if (settings_.mode == Mode::one_shot || is_script()) return limited.ask(std::move(request));
  // The interrupt came while results were printed.
  if (interrupted) throw Refused{{wire::ErrorCode::cancelled, "interrupted"}, {}};
  const bool has_deadline = deadline_.has_value();
  return ask_until_interrupted(
      has_deadline ? limited : limited.within(client_().core()->options().call_timeout),
      std::move(request));
}

zabkeeper::Calls Runner::calls() {
  if (!deadline_) return client_();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - steady_clock::now());
  if (left.count() <= 0) {
    throw Refused{{wire::ErrorCode::operation_timeout, std::string(time_is_over)}, {}};
  }
  return client_().within(left);
}

zabkeeper::AnyReply Runner::take_answer(const wire::Request& request) {
  Answered answered = std::move(*answered_);
  answered_.reset();
  if (answered.request != request) {
    throw std::logic_error("a command sends another request than the one sent ahead");
  }
  return std::move(answered.reply);
}

int Runner::carry_out(const Command& command) {
  try {
    std::visit([this](const auto& each) { on(each); }, command);
  } catch (const Refused& refused) {
    if (json_ && !refused.is_in_output) {
      print_json(wire::Reply{{}, refused.zxid, {}, refused.error});
    }
    const bool is_unreachable = common_.timeout && refused.error.code == wire::ErrorCode::not_ready;
    fail(exit_code(refused.error.code, refused.effect),
         is_unreachable ? std::string(no_server_in_time)
                        : error_text(refused.error, refused.path) +
                              (refused.hint.empty() ? "" : "; " + refused.hint));
    if (exit_code_ == exit_other && answers_by_exit_code(command)) exit_code_ = exit_usage;
    if (refused.error.code == wire::ErrorCode::cancelled) {
      exit_code_ = refused.effect == Effect::read ? exit_interrupted : exit_unknown_outcome;
    }
    if (common_.timeout && refused.error.code == wire::ErrorCode::operation_timeout &&
        refused.effect == Effect::read) {
      exit_code_ = exit_timeout;
    }
    if (exit_code_ == exit_unknown_outcome) {
      err_ << "the write may or may not have been applied: check before you repeat it\n";
    }
  } catch (const Interrupted&) {
    fail(exit_interrupted, "interrupted");
  } catch (const Ended& ended) {
    fail(ended.code, ended.words);
  } catch (const CannotRun& failed) {
    fail(failed.exit_code(), failed.what());
  } catch (const ArchiveFailed& failed) {
    fail(exit_other, failed.what());
  }
  return exit_code_;
}

void Runner::connect(std::chrono::milliseconds timeout) {
  const auto reply = timeout.count() > 0 ? client_().within(timeout).ask(wire::PingRequest{})
                                         : client_().ask(wire::PingRequest{});
  if (reply.result.has_error()) throw Refused{reply.result.error(), {}};
}

void Runner::fail(int code, const std::string& words) {
  out_.flush();  // so that results and errors keep their order where both go to one file
  err_ << words << '\n';
  exit_code_ = code;
}

void Runner::remark(const std::string& words) {
  if (common_.quiet) return;
  out_.flush();
  err_ << words << '\n' << std::flush;
}

void Runner::note_signal(int number) {
  if (number == SIGTERM || number == SIGHUP) ended_by_ = number;
}

void Runner::print_json(const wire::ServerMessage& message) {
  std::string text;
  wire::json::write(message, text);
  // The message of an error may have a server's name that is not UTF-8.
  out_ << (wire::is_utf8(text) ? text : wire::utf8_text(text)) << '\n';
}

void Runner::print_rows(const std::vector<Row>& rows, const std::vector<bool>& right,
                        const nlohmann::json& objects) {
  switch (common_.format) {
    case Format::table: out_ << table(rows, right); break;
    case Format::json: out_ << json_line(objects); break;
    case Format::jsonl:
      for (const nlohmann::json& object : objects) out_ << json_line(object);
      break;
    case Format::raw:
      for (std::size_t i = 1; i < rows.size(); ++i) out_ << raw_line(rows[i]);
      break;
  }
}

std::string Runner::absolute(const std::string& path) const { return resolve(cwd_, path); }

std::string Runner::read_data(const std::string& argument) const {
  if (argument.starts_with("@@")) return argument.substr(1);
  if (argument.starts_with('@')) return data_of_file(argument.substr(1));
  if (argument != "-") return argument;
  if (settings_.mode == Mode::interactive) {
    throw Refused{{wire::ErrorCode::bad_arguments,
                   "DATA - reads standard input, but the commands come from there"},
                  {}};
  }
  // One byte more than any server takes is refused as too large.
  return Input(STDIN_FILENO).rest(wire::data_bytes_max);
}

void Runner::on(const Set& set) {
  const std::string path = absolute(set.path);
  ask(wire::SetRequest{path, read_data(set.data), set.version, set.create}, path);
}

void Runner::on(const Create& create) {
  const std::string path = path_of_new(create, absolute(create.path));
  try {
    const wire::CreateReply reply = ask(wire::CreateRequest{path,
                                                            read_data(create.data),
                                                            create.ephemeral,
                                                            create.sequential,
                                                            create.container,
                                                            create.parents,
                                                            create.ttl_ms,
                                                            {}},
                                        path);
    if (!json_) out_ << reply.path << '\n';
    if (create.ephemeral && settings_.mode == Mode::one_shot) {
      remark(reply.path + " is ephemeral: it is deleted when this command ends");
    }
  } catch (Refused& refused) {
    if (refused.error.code != wire::ErrorCode::no_node) throw;
    if (json_) print_json(wire::Reply{{}, refused.zxid, {}, refused.error});
    fail(exit_no_node, path + ": its parent does not exist; -p creates it (NoNode)");
  }
}

void Runner::on(const ShowStat& stat) {
  const std::string path = absolute(stat.path);
  const wire::ExistsReply reply = ask(wire::ExistsRequest{path, {}}, path);
  if (!reply.stat) {
    throw Refused{{wire::ErrorCode::no_node, {}}, path, Effect::read, {}, /*is_in_output=*/true};
  }
  if (!json_) out_ << stat_text(*reply.stat);
}

void Runner::on(const Count& count) {
  const std::string path = absolute(count.path);
  const wire::CountReply reply = ask(wire::CountRequest{path, {}}, path);
  if (!json_) out_ << reply.count << '\n';
}

void Runner::on(const Ephemerals& ephemerals) {
  const wire::EphemeralsReply reply = ask(wire::EphemeralsRequest{absolute(ephemerals.prefix)}, {});
  if (json_) return;
  for (const std::string& path : reply.paths) out_ << path << '\n';
}

void Runner::on(const Sync&) { ask(wire::SyncRequest{"/"}, {}); }

void Runner::on(const Whoami&) {
  const wire::WhoamiReply reply = ask(wire::WhoamiRequest{}, {});
  if (json_) return;
  for (const wire::Identity& identity : reply.identities) {
    out_ << identity.scheme << ':' << identity.id << '\n';
  }
}

void Runner::on(const Ping&) {
  client_();
  ask(wire::PingRequest{}, {},
      Echo::quiet);  // so that the connection is there before the second ping
  const auto began = steady_clock::now();
  ask(wire::PingRequest{}, {});
  const auto took = std::chrono::duration<double, std::milli>(steady_clock::now() - began);
  if (json_) return;
  const std::string ms = std::to_string(took.count()).substr(0, 5);
  out_ << (common_.format == Format::raw ? ms + '\n' : "pong in " + ms + " ms\n");
}

void Runner::on(const Cd& cd) {
  const std::string path = absolute(cd.path);
  const wire::ExistsReply reply = ask(wire::ExistsRequest{path, {}}, path, Echo::quiet);
  if (!reply.stat) throw Refused{{wire::ErrorCode::no_node, {}}, path};
  cwd_ = path;
}

void Runner::on(const Pwd&) { out_ << cwd_ << '\n'; }

void Runner::on(const Help& about) { out_ << help(about.topic); }

}  // namespace shell
