#include <string>
#include <unistd.h>

#include "tools/shell/input.h"
#include "tools/shell/progress.h"
#include "tools/shell/requests.h"
#include "tools/shell/subtree_removal.h"

namespace shell {

void Runner::on(const Delete& remove) {
  const std::string path = absolute(remove.path);
  if (remove.recursive && !remove.without_question && !may_delete_below(path)) {
    return fail(exit_other, "nothing is deleted");
  }
  try {
    ask(wire::DeleteRequest{path, remove.version, remove.recursive}, path);
  } catch (const Refused& refused) {
    if (!remove.recursive || refused.error.code != wire::ErrorCode::too_large) throw;
    delete_in_parts(remove, path);
  }
}

bool Runner::may_delete_below(const std::string& path) {
  if (::isatty(STDIN_FILENO) == 0 || !err_.is_terminal()) return true;
  const auto below = client_().count(path);
  if (below.has_error() || below->count == 0) return true;  // the deletion says what is wrong
  err_ << "delete " << path << " and " << below->count
       << (below->count == 1 ? " node below it" : " nodes below it") << "? [y/N] ";
  Input answers(STDIN_FILENO, [] { return interrupted.load(); });
  const std::string answer = answers.line().value_or("");
  if (answer.empty()) err_ << '\n';
  return answer == "y" || answer == "Y" || answer == "yes";
}

void Runner::delete_in_parts(const Delete& remove, const std::string& path) {
  settings_.catch_interrupts();
  Progress progress(STDERR_FILENO, common_.quiet);
  SubtreeRemoval removal(client_(), path, remove.version, [&](const SubtreeRemoval::Nodes& nodes) {
    progress.show("deleted " + std::to_string(nodes.deleted) + " nodes, " +
                  std::to_string(nodes.left) + " left");
    return !interrupted;
  });
  const SubtreeRemoval::Outcome outcome = removal.run();
  progress.clear();
  if (!outcome.failure && !outcome.interrupted) {
    if (json_) print_json(wire::Reply{{}, outcome.zxid, {}, wire::ReplyBody(wire::EmptyReply{})});
    return;
  }
  if (outcome.nodes.deleted > 0) {
    err_ << path << ": " << outcome.nodes.deleted << " nodes below it are deleted, "
         << outcome.nodes.left << " are left; the same command goes on\n";
  }
  if (outcome.failure) {
    throw Refused{outcome.failure->error, outcome.failure->path, Effect::write, outcome.zxid};
  }
  err_ << "interrupted\n";
  exit_code_ = exit_interrupted;
}

}  // namespace shell
