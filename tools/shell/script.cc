#include "tools/shell/script.h"

#include <unistd.h>
#include <utility>
#include <variant>

#include "client-lib/requests.h"
#include "tools/shell/only_request.h"

namespace shell {

Script::Script(Runner& runner, std::function<zabkeeper::Client&()> client, Common common,
               Streams streams)
    : runner_(runner),
      client_(std::move(client)),
      streams_(streams),
      input_(STDIN_FILENO),
      parser_(common) {}

int Script::run() {
  while (const std::optional<std::string> text = next_line()) {
    auto read = read_line(*text, parser_);
    if (const auto* notice = std::get_if<Notice>(&read)) {
      finish_all();
      note(print_notice(*notice, streams_));
    } else if (auto* line = std::get_if<CommandLine>(&read)) {
      if (std::holds_alternative<Quit>(*line->command)) break;
      carry_out(std::move(*line));
    }
  }
  finish_all();
  return first_failure_;
}

std::optional<std::string> Script::next_line() {
  try {
    while (!pending_.empty() && !input_.has_line()) finish_oldest();
    if (!input_.has_line()) streams_.out.flush();
    return input_.line();
  } catch (const InputFailed&) {
    finish_all();
    throw;
  }
}

void Script::carry_out(CommandLine line) {
  if (auto request = only_request(*line.command, runner_.cwd())) {
    return send(std::move(line), std::move(*request));
  }
  finish_all();
  interrupted = false;
  note(runner_.run(*line.command, line.common));
}

void Script::send(CommandLine line, wire::Request request) {
  if (!ahead_) ahead_.emplace(client_());
  const bool is_write = zabkeeper::is_write(request);
  if (is_write && !pending_.empty() && !pending_.back().is_write) finish_all();
  while (!ahead_->has_room()) finish_oldest();
  ahead_->send(std::move(request), line.common.timeout);
  pending_.push_back({std::move(*line.command), line.common, is_write});
}

void Script::finish_oldest() {
  if (!ahead_->is_oldest_answered()) streams_.out.flush();
  auto [request, reply] = ahead_->take();
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  note(runner_.run(pending.command, pending.common, {std::move(request), std::move(reply)}));
}

void Script::finish_all() {
  while (!pending_.empty()) finish_oldest();
  streams_.out.flush();
}

void Script::note(int code) {
  if (first_failure_ == exit_ok) first_failure_ = code;
}

}  // namespace shell
