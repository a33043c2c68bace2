#include "tests/sim/service/programs.h"

#include <algorithm>
#include <string>

#include "session/image.h"
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

}  // namespace

const wire::LevelRange& Programs::start(std::size_t server, const Checkpoint& from) {
  if (running_.empty()) {
    const std::size_t servers = world_.cluster().size();
    running_.assign(servers, newer);
    greeted_.assign(servers, std::vector(servers, newer));
    noticed_.assign(servers, false);
  }
  noticed_[server] = false;
  const bool steps_back =
      world_.options().programs && !healing_ && may_step_back(from) && world_.random().one_in(2);
  const bool is_refused = steps_back && !older.contains(level_of(from));
  if (is_refused) world_.cluster().counts().count(Rare::older_program_refused);
  running_[server] = steps_back && !is_refused ? older : newer;
  world_.cluster().counts().count(running_[server] == older ? Rare::older_program
                                                            : Rare::newer_program);
  const bool is_too_early = world_.oracle().model().level() != wire::Level{};
  if (running_[server] == older && is_too_early) restart_later(server);  // it gets no link
  return running_[server];
}

// A careful operator lets an older program start while the ensemble is at level 0, once the server
// has a checkpoint of that level. Without one, the log has transactions that the program does not
// know. A careless operator does not look.
bool Programs::may_step_back(const Checkpoint& from) const {
  const Model& model = world_.oracle().model();
  if (model.level() != wire::Level{}) return world_.random().one_in(8);
  return from.at.zxid >= model.level_changed_at() || world_.random().one_in(2);
}

wire::Level Programs::level_at(std::size_t server) const {
  server::Pipeline* pipeline = world_.pipeline(server);
  return pipeline == nullptr ? wire::Level{} : pipeline->service().level();
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
  const auto version = static_cast<std::uint8_t>(submit.payload->front());
  const auto* change = std::get_if<session::LevelTxn>(&txn->body);
  if (change == nullptr) {
    if (version > wire::forms_at(level_at(leader)).transaction) {
      refuse("a transaction of version " + std::to_string(version) + " at " +
             wire::to_string(level_at(leader)));
    }
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
  const server::Pipeline& pipeline = *world_.pipeline(server);
  const auto version = static_cast<std::uint8_t>(txn.payload->front());
  if (!pipeline.halt()) {
    if (version > wire::forms_at(running_[server].greatest).transaction) {
      throw Violation("no_version_guessed", "server " + std::to_string(server + 1) + " applies " +
                                                wire::to_string(txn.zxid) +
                                                ", which its program does not know");
    }
    return;
  }
  if (running_[server] == newer) {
    throw Violation("no_version_guessed", "server " + std::to_string(server + 1) +
                                              " knows every form, but does not apply " +
                                              wire::to_string(txn.zxid) + ": " +
                                              pipeline.halt()->why);
  }
  if (txn.zxid == pipeline.halt()->zxid) world_.cluster().counts().count(Rare::does_not_apply);
  restart_later(server);
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
  const wire::Level level{static_cast<std::uint32_t>(world_.random().below(2))};
  for (std::size_t server = 0; server < running_.size(); ++server) {
    server::Pipeline* pipeline = world_.pipeline(server);
    if (pipeline == nullptr || pipeline->role_status().role != zab::Role::leading) continue;
    pipeline->set_level(level, [this](const wire::Result<void>& changed) {
      if (changed) world_.cluster().counts().count(Rare::level_changed);
    });
  }
}

void Programs::heal() {
  healing_ = true;
  for (std::size_t server = 0; server < running_.size(); ++server) {
    if (running_[server] == newer) continue;
    world_.at(world_.now(), [this, server] {
      if (running_[server] == older) world_.cluster().restart(server);
    });
  }
}

}  // namespace sim
