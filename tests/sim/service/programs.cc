#include "tests/sim/service/programs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "session/image.h"
#include "session/results.h"
#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"
#include "wire/zxid.h"

namespace sim {
namespace {

wire::Level level_of(const Checkpoint& checkpoint) {
  if (!checkpoint.image) return {};
  wire::ByteReader in(*checkpoint.image);
  static_cast<void>(in.string());  // the key of the header
  return session::decode_header(in.string())->level;
}

// Whether a program that knows only these forms can read a kept outcome. Its first byte is its
// kind: from 17 on of version 2, and 22 of version 3. 3 and 19 are refusals, which have a version
// too.
bool is_known(std::string_view outcome, const wire::Forms& forms) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(outcome.at(at)); };
  const int version = byte(0) == 22 ? 3 : byte(0) >= 17 ? 2 : 1;
  if (version > forms.outcome) return false;
  if (byte(0) == 3) return byte(1) <= forms.refusal;
  return byte(0) != 19 || byte(9) <= forms.refusal;
}

// Why a program with this greatest level does not know a transaction; none if it knows it.
std::optional<std::string> unknown_to(wire::LevelRange program, std::string_view payload) {
  const auto txn = session::decode_transaction(payload, wire::forms_at(program.greatest));
  if (!txn) return txn.error().message;
  const auto* change = std::get_if<session::LevelTxn>(&txn->body);
  if (change == nullptr || program.contains(change->level)) return std::nullopt;
  return "a change to " + wire::to_string(change->level);
}

}  // namespace

const wire::LevelRange& Programs::start(std::size_t server, const Checkpoint& from) {
  if (running_.empty()) {
    const std::size_t servers = world_.cluster().size();
    running_.assign(servers, newest);
    greeted_.assign(servers, std::vector(servers, newest));
    noticed_.assign(servers, false);
  }
  noticed_[server] = false;
  const bool replaces = world_.options().programs && !healing_;
  const wire::LevelRange older = replaces ? any_older() : oldest;
  const bool steps_back = replaces && may_step_back(older, from) && world_.random().one_in(2);
  const bool is_refused = steps_back && !older.contains(level_of(from));
  Totals& counts = world_.cluster().counts();
  if (is_refused) counts.count(Rare::older_program_refused);
  running_[server] = steps_back && !is_refused ? older : newest;
  counts.count(running_[server] == oldest   ? Rare::oldest_program
               : running_[server] == newest ? Rare::newest_program
                                            : Rare::older_program);
  const bool is_too_early = !running_[server].contains(world_.oracle().model().level());
  if (is_too_early) restart_later(server);  // it gets no link
  return running_[server];
}

wire::LevelRange Programs::any_older() {
  const auto levels = newest.greatest.value - newest.least.value;
  return {newest.least, {static_cast<std::uint32_t>(world_.random().below(levels))}};
}

// A careful operator lets an older program start while the ensemble is at a level that it knows,
// once the server has a checkpoint of such a level. Without one, the log has transactions that the
// program does not know. A careless operator does not look.
bool Programs::may_step_back(wire::LevelRange program, const Checkpoint& from) const {
  const Model& model = world_.oracle().model();
  if (!program.contains(model.level())) return world_.random().one_in(8);
  return from.at.zxid >= model.last_above(program.greatest) || world_.random().one_in(2);
}

wire::Level Programs::level_at(std::size_t server) const {
  server::Pipeline* pipeline = world_.pipeline(server);
  return pipeline == nullptr ? wire::Level{} : pipeline->replica().service().level();
}

bool Programs::greet(std::size_t a, std::size_t b) {
  const bool link = running_[a].contains(level_at(b)) && running_[b].contains(level_at(a));
  if (link) {
    greeted_[a][b] = running_[b];
    greeted_[b][a] = running_[a];
  } else {
    world_.cluster().counts().count(Rare::program_refused);
  }
  return link;
}

// An operator did not wait until no disk has anything of the former level.
bool Programs::can_read(std::size_t server, const Checkpoint& snapshot) const {
  const bool can_read = running_[server].contains(level_of(snapshot));
  if (!can_read) world_.cluster().counts().count(Rare::snapshot_not_known);
  return can_read;
}

std::vector<server::ServerLevels> Programs::known_to(std::size_t server) const {
  std::vector<server::ServerLevels> levels;
  for (std::size_t other = 0; other < running_.size(); ++other) {
    server::ServerLevels known{static_cast<std::uint32_t>(other) + 1, {}};
    if (other == server) known.levels = running_[server];
    if (world_.cluster().is_linked(server, other)) known.levels = greeted_[server][other];
    levels.push_back(known);
  }
  return levels;
}

void Programs::level_changed(std::size_t server, wire::Level level) {
  for (std::size_t other = 0; other < running_.size(); ++other) {
    if (other != server && !greeted_[server][other].contains(level)) {
      world_.cluster().cut_link(server, other);
    }
  }
}

void Programs::check(std::size_t leader, const zab::Submit& submit) const {
  const auto refuse = [&](const std::string& what) {
    throw Violation("no_version_ahead",
                    "server " + std::to_string(leader + 1) + " proposes " + what);
  };
  const auto txn = session::decode_transaction(*submit.payload);
  if (!txn) refuse("what nobody can decode");
  const auto* change = std::get_if<session::LevelTxn>(&txn->body);
  if (change == nullptr) {
    const wire::Level level = level_at(leader);
    const auto why = unknown_to({level, level}, *submit.payload);
    if (why) refuse("a transaction at " + wire::to_string(level) + ": " + *why);
    return;
  }
  for (const server::ServerLevels& known : known_to(leader)) {
    if (known.levels && known.levels->contains(change->level) &&
        known.levels->greatest > wire::Level{}) {
      continue;
    }
    refuse(wire::to_string(change->level) + ", and server " + std::to_string(known.server) +
           " has not greeted with it");
  }
}

void Programs::on_delivered(std::size_t server, const zab::Txn& txn) {
  const auto guess = [&](const std::string& what) {
    throw Violation("no_version_guessed", "server " + std::to_string(server + 1) + " " + what +
                                              ": " + wire::to_string(txn.zxid));
  };
  const auto& halt = world_.pipeline(server)->replica().halt();
  const auto why = unknown_to(running_[server], *txn.payload);
  if (!halt) {
    if (why) guess("applies a transaction that its program does not know, " + *why);
    return check_results(server, *session::decode_transaction(*txn.payload));
  }
  if (running_[server] == newest) guess("knows every form, but does not apply, " + halt->why);
  if (txn.zxid == halt->zxid) {
    if (!why) guess("knows a transaction, but does not apply it, " + halt->why);
    world_.cluster().counts().count(Rare::does_not_apply);
  }
  restart_later(server);
}

// After a change of the level all results; else those of the transaction's session.
void Programs::check_results(std::size_t server, const session::Transaction& txn) const {
  const session::Service& service = world_.pipeline(server)->replica().service();
  const wire::Forms forms = wire::forms_at(service.level());
  const auto check = [&](wire::SessionId id) {
    const session::Results* results = service.sessions().results(id);
    if (results == nullptr) return;
    for (const session::Results::Result& result : results->all()) {
      if (is_known(result.outcome, forms)) continue;
      throw Violation("no_version_ahead", "server " + std::to_string(server + 1) +
                                              " keeps an outcome of a later version at " +
                                              wire::to_string(service.level()));
    }
  };
  if (txn.number) check(txn.session);
  if (!std::holds_alternative<session::LevelTxn>(txn.body)) return;
  for (const auto& [id, session] : service.sessions().all()) check(id);
}

// The operator notices after a while that this server does not serve.
void Programs::restart_later(std::size_t server) {
  if (noticed_[server]) return;
  noticed_[server] = true;
  world_.at(world_.now() + world_.random().between(1, 20 * tick), [this, server] {
    if (noticed_[server]) world_.cluster().restart(server);
  });
}

void Programs::replace_one() {
  world_.cluster().restart(static_cast<std::size_t>(world_.random().below(running_.size())));
}

void Programs::change_level() {
  const wire::Level level{
      static_cast<std::uint32_t>(world_.random().below(newest.greatest.value + 1))};
  for (std::size_t server = 0; server < running_.size(); ++server) {
    server::Pipeline* pipeline = world_.pipeline(server);
    if (pipeline == nullptr || pipeline->role_status().role != zab::Role::leading) continue;
    pipeline->set_level(level, [this, level](const wire::Result<void>& changed) {
      if (!changed) return;
      Totals& counts = world_.cluster().counts();
      counts.count(Rare::level_changed);
      if (level != newest.least && level != newest.greatest) counts.count(Rare::middle_level);
    });
  }
}

void Programs::heal() {
  healing_ = true;
  for (std::size_t server = 0; server < running_.size(); ++server) {
    if (running_[server] == newest) continue;
    world_.at(world_.now(), [this, server] {
      if (running_[server] != newest) world_.cluster().restart(server);
    });
  }
}

}  // namespace sim
