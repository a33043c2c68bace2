#include "tools/shell/runner.h"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include "tools/shell/child.h"
#include "tools/shell/input.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"
#include "tools/shell/words.h"
#include "wire/json.h"
#include "wire/limits.h"
#include "wire/terminal_text.h"
#include "wire/utf8.h"

namespace shell {
namespace {

using std::chrono::steady_clock;

}  // namespace

Runner::Runner(Settings settings, std::function<zabkeeper::Client&()> client, Output& out,
               Output& err)
    : settings_(std::move(settings)), client_(std::move(client)), out_(out), err_(err) {}

int Runner::run(const Command& command, bool json) {
  carry_out(command, json);
  out_.flush();
  if (ended_by_ && settings_.mode == Mode::interactive) end_by_signal(*ended_by_);
  return exit_code_;
}

int Runner::run(const Command& command, bool json, Answered answered) {
  answered_ = std::move(answered);
  carry_out(command, json);
  if (answered_) throw std::logic_error("a command did not use the reply to its request");
  return exit_code_;
}

zabkeeper::AnyReply Runner::take_answer(const wire::Request& request) {
  Answered answered = std::move(*answered_);
  answered_.reset();
  if (answered.request != request) {
    throw std::logic_error("a command sends another request than the one sent ahead");
  }
  return std::move(answered.reply);
}

int Runner::carry_out(const Command& command, bool json) {
  json_ = json;
  exit_code_ = exit_ok;
  vanished_ = 0;
  try {
    std::visit([this](const auto& each) { on(each); }, command);
  } catch (const Refused& refused) {
    if (json_ && !refused.is_in_output) {
      print_json(wire::Reply{{}, refused.zxid, {}, refused.error});
    }
    fail(exit_code(refused.error.code, refused.effect), error_text(refused.error, refused.path));
    if (exit_code_ == exit_unknown_outcome) {
      err_ << "the write may or may not have been applied: check before you repeat it\n";
    }
  } catch (const CannotRun& failed) {
    fail(failed.exit_code(), failed.what());
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

void Runner::note_signal(int number) {
  if (number == SIGTERM || number == SIGHUP) ended_by_ = number;
}

void Runner::print_json(const wire::ServerMessage& message) {
  std::string text;
  wire::json::write(message, text);
  // The words of an error may name a server whose name is not UTF-8.
  out_ << (wire::is_utf8(text) ? text : wire::utf8_text(text)) << '\n';
}

std::string Runner::absolute(const std::string& path) const { return resolve(cwd_, path); }

std::string Runner::read_data(const std::string& argument) const {
  if (argument != "-") return argument;
  if (settings_.mode == Mode::interactive) {
    throw Refused{{wire::ErrorCode::bad_arguments,
                   "DATA - reads standard input, but the commands come from there"},
                  {}};
  }
  // One byte more than any server takes is refused as too large.
  return Input(STDIN_FILENO).rest(wire::data_bytes_max);
}

void Runner::on(const Get& get) {
  const std::string path = absolute(get.path);
  const wire::GetReply reply = ask(wire::GetRequest{path, {}}, path);
  if (json_) return;
  out_ << reply.data;
  // The data alone, byte for byte, to a file or another program.
  const bool is_exact = settings_.mode == Mode::one_shot && !out_.is_terminal() && !get.stat;
  const bool has_end = out_.is_terminal() && reply.data.ends_with('\n');
  if (!is_exact && !has_end) out_ << '\n';
  if (get.stat) out_ << stat_text(reply.stat);
}

void Runner::on(const Set& set) {
  const std::string path = absolute(set.path);
  ask(wire::SetRequest{path, read_data(set.data), set.version, set.create}, path);
}

void Runner::on(const Create& create) {
  const std::string path = absolute(create.path);
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
      err_ << reply.path << " is ephemeral: it is deleted when this command ends\n";
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
      Echo::quiet);  // connects, so that the second ping is not delayed by it
  const auto began = steady_clock::now();
  ask(wire::PingRequest{}, {});
  const auto took = std::chrono::duration<double, std::milli>(steady_clock::now() - began);
  if (!json_) out_ << "pong in " << std::to_string(took.count()).substr(0, 5) << " ms\n";
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
