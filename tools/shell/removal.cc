#include <string>
#include <unistd.h>

#include "tools/shell/progress.h"
#include "tools/shell/requests.h"
#include "tools/shell/subtree_removal.h"

namespace shell {

void Runner::on(const Delete& remove) {
  const std::string path = absolute(remove.path);
  try {
    ask(wire::DeleteRequest{path, remove.version, remove.recursive}, path);
  } catch (const Refused& refused) {
    if (!remove.recursive || refused.error.code != wire::ErrorCode::too_large) throw;
    delete_in_parts(remove, path);
  }
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
