#include "tools/shell/runner.h"

#include <chrono>
#include <deque>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/shell/print.h"
#include "tools/shell/words.h"
#include "wire/json.h"

namespace shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

template <typename Request>
constexpr Effect effect_of =
    std::is_same_v<Request, wire::CreateRequest> || std::is_same_v<Request, wire::SetRequest> ||
            std::is_same_v<Request, wire::DeleteRequest>
        ? Effect::write
        : Effect::read;

// Passes events from the client's thread to the thread that prints.
struct Inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<zabkeeper::Result<wire::WatchEvent>> events;
};

}  // namespace

Runner::Runner(Settings settings, std::function<zabkeeper::Client&()> client, std::ostream& out,
               std::ostream& err)
    : settings_(std::move(settings)), client_(std::move(client)), out_(out), err_(err) {}

int Runner::run(const Command& command, bool json) {
  json_ = json;
  exit_code_ = exit_ok;
  try {
    std::visit([this](const auto& each) { on(each); }, command);
  } catch (const Refused& refused) {
    err_ << error_text(refused.error, refused.path) << '\n';
    exit_code_ = exit_code(refused.error.code, refused.effect);
    if (exit_code_ == exit_unknown_outcome) {
      err_ << "the write may or may not have been applied: check before you repeat it\n";
    }
  }
  out_.flush();
  return exit_code_;
}

template <typename Request>
zabkeeper::ReplyOf<Request> Runner::ask(Request request, const std::string& path, Echo echo) {
  zabkeeper::Client::AnyReply reply = client_().ask(std::move(request));
  if (json_ && (echo == Echo::as_json || reply.result.has_error())) {
    print_json(wire::Reply{{}, reply.zxid, {}, reply.result});
  }
  if (reply.result.has_error()) throw Refused{reply.result.error(), path, effect_of<Request>};
  return std::get<zabkeeper::ReplyOf<Request>>(std::move(*reply.result));
}

void Runner::print_json(const wire::ServerMessage& message) {
  std::string text;
  wire::json::write(message, text);
  out_ << text << '\n';
}

std::string Runner::absolute(const std::string& path) const { return resolve(cwd_, path); }

std::string Runner::read_data(const std::string& argument) {
  if (argument != "-") return argument;
  if (settings_.mode == Mode::interactive) {
    throw Refused{{wire::ErrorCode::bad_arguments,
                   "DATA - reads standard input, but the commands come from there"},
                  {}};
  }
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

// In pages, because the reply for a node with very many children could be too large.
std::vector<wire::Child> Runner::children_of(const std::string& path, bool with_stat) {
  constexpr std::uint32_t page = 1'000;
  wire::ChildrenRequest request{path, with_stat, false, {}, page, {}};
  std::vector<wire::Child> children;
  for (;;) {
    wire::ChildrenReply reply = ask(request, path, Echo::quiet);
    std::ranges::move(reply.children, std::back_inserter(children));
    if (!reply.more || children.empty()) return children;
    request.after = children.back().name;
  }
}

void Runner::list_children(const Ls& ls, const std::string& path, std::vector<Row>& rows) {
  for (const wire::Child& child : children_of(path, ls.details || ls.recursive)) {
    const std::string whole = join(path, child.name);
    const std::string name = ls.recursive ? whole : child.name;
    if (ls.details && child.stat) {
      const wire::Stat& stat = *child.stat;
      rows.push_back({name, 'v' + std::to_string(stat.version), std::to_string(stat.data_length),
                      std::to_string(stat.num_children), time_text(stat.mtime),
                      stat.container                ? "container"
                      : stat.ttl_ms                 ? "ttl"
                      : stat.ephemeral_owner.none() ? ""
                                                    : "ephemeral"});
    } else {
      rows.push_back({name});
    }
    if (ls.recursive && child.stat && child.stat->num_children > 0) list_children(ls, whole, rows);
  }
}

void Runner::on(const Ls& ls) {
  const std::string path = absolute(ls.path);
  if (json_ && !ls.recursive) {
    ask(wire::ChildrenRequest{path, ls.details, false, {}, {}, {}}, path);
    return;
  }
  std::vector<Row> rows;
  if (ls.details && !json_) rows.push_back({"NAME", "VERSION", "BYTES", "CHILDREN", "CHANGED", ""});
  list_children(ls, path, rows);
  if (json_) {
    nlohmann::json paths = nlohmann::json::array();
    for (const Row& row : rows) paths.push_back(row.front());
    out_ << nlohmann::json{{"paths", paths}}.dump() << '\n';
  } else if (rows.size() > 1 || !ls.details) {
    out_ << (ls.details ? table(rows, {false, true, true, true, false, false})
                        : table(rows, {false}));
  }
}

std::size_t Runner::print_tree(const std::string& path, const std::string& indent) {
  const std::vector<wire::Child> children = children_of(path, true);
  std::size_t count = children.size();
  for (std::size_t i = 0; i < children.size(); ++i) {
    const bool last = i + 1 == children.size();
    const wire::Child& child = children[i];
    const bool ephemeral = child.stat && !child.stat->ephemeral_owner.none();
    out_ << indent << (last ? "└── " : "├── ") << child.name << (ephemeral ? " (ephemeral)" : "")
         << '\n';
    if (child.stat && child.stat->num_children > 0) {
      count += print_tree(join(path, child.name), indent + (last ? "    " : "│   "));
    }
  }
  return count;
}

void Runner::on(const Tree& tree) {
  const std::string path = absolute(tree.path);
  if (json_) return on(Ls{path, false, true});
  out_ << path << '\n';
  const std::size_t count = print_tree(path, "");
  out_ << count << (count == 1 ? " node below\n" : " nodes below\n");
}

void Runner::on(const Get& get) {
  const std::string path = absolute(get.path);
  const wire::GetReply reply = ask(wire::GetRequest{path, {}}, path);
  if (json_) return;
  out_ << reply.data << '\n';
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
    err_ << path << ": its parent does not exist; -p creates it (NoNode)\n";
    exit_code_ = exit_no_node;
  }
}

void Runner::on(const Delete& remove) {
  const std::string path = absolute(remove.path);
  ask(wire::DeleteRequest{path, remove.version, remove.recursive}, path);
}

void Runner::on(const ShowStat& stat) {
  const std::string path = absolute(stat.path);
  const wire::ExistsReply reply = ask(wire::ExistsRequest{path, {}}, path);
  if (!reply.stat) throw Refused{{wire::ErrorCode::no_node, {}}, path};
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

void Runner::on(const Watch& watch) {
  const std::string path = absolute(watch.path);
  const auto inbox = std::make_shared<Inbox>();
  const zabkeeper::Client::AnyReply reply =
      client_().ask(wire::WatchRequest{path, watch.scope, false, /*with_data=*/true, {}},
                    [inbox](const zabkeeper::Result<wire::WatchEvent>& event) {
                      const std::lock_guard lock(inbox->mutex);
                      inbox->events.push_back(event);
                      inbox->arrived.notify_one();
                    });
  if (json_) print_json(wire::Reply{{}, reply.zxid, {}, reply.result});
  if (reply.result.has_error()) throw Refused{reply.result.error(), path};
  const wire::RequestId id = std::get<wire::WatchReply>(*reply.result).watch;
  out_.flush();
  err_ << "watching " << path << '\n' << std::flush;

  std::size_t seen = 0;
  while (!interrupted && (watch.count == 0 || seen < watch.count)) {
    std::unique_lock lock(inbox->mutex);
    // An interrupt cannot notify a condition variable, so it is checked every 100 ms.
    inbox->arrived.wait_for(lock, milliseconds(100), [&] { return !inbox->events.empty(); });
    if (inbox->events.empty()) continue;
    const auto event = std::move(inbox->events.front());
    inbox->events.pop_front();
    lock.unlock();
    if (event.has_error()) throw Refused{event.error(), path};
    ++seen;
    if (json_) {
      print_json(*event);
    } else {
      out_ << event_text(*event) << '\n';
    }
    out_.flush();
  }
  if (settings_.mode == Mode::interactive) (void)client_().ask(wire::UnwatchRequest{id});
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
