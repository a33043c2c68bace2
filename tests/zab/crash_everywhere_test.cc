#include <fstream>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/sources.h"
#include "tests/support/transcript.h"
#include "tests/zab/scripted_ensemble.h"

// Runs every transcript again with one more crash: of every server, after every command and in the
// middle of the server's next step. The output is not compared. Then all faults are healed. The
// ensemble must converge (serve in one epoch, with equal states) and must have lost nothing. The
// same holds if it first runs for a while with one more server down. Exceptions are marked in the
// head of a transcript: "With one more crash: may not converge, may lose."
namespace {

struct Transcript {
  std::vector<std::string> commands;
  bool may_not_converge = false;
  bool may_lose = false;
};

Transcript read(const std::string& path) {
  Transcript transcript;
  std::ifstream in(path);
  REQUIRE(in);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) {
      transcript.may_not_converge |= line.find("may not converge") != std::string::npos;
      transcript.may_lose |= line.find("may lose") != std::string::npos;
      continue;
    }
    if (line.empty()) continue;
    transcript.commands.push_back(line);
    while (std::getline(in, line) && !line.empty()) {
    }
  }
  return transcript;
}

bool is_prefix(const std::string& first, const std::string& second) {
  return (second + ' ').starts_with(first + ' ');
}

std::string longest_delivered(const ScriptedEnsemble& ensemble) {
  std::string longest;
  for (const auto& [id, view] : ensemble.servers()) {
    if (view.delivered.size() > longest.size()) longest = view.delivered;
  }
  return longest;
}

// Describes how two servers delivered different transactions; empty if none did.
std::string disagreement(const ScriptedEnsemble& ensemble) {
  const std::string longest = longest_delivered(ensemble);
  for (const auto& [id, view] : ensemble.servers()) {
    if (!is_prefix(view.delivered, longest)) {
      return std::to_string(id) + " delivered" + view.delivered + ", another" + longest;
    }
  }
  return "";
}

constexpr ScriptedEnsemble::Id no_server = 0;

// Whether all servers but `absent` serve in one epoch, and have delivered the same.
bool has_converged(const ScriptedEnsemble& ensemble, ScriptedEnsemble::Id absent = no_server) {
  auto servers = ensemble.servers();
  servers.erase(absent);
  const ScriptedEnsemble::View& first = servers.begin()->second;
  for (const auto& [id, view] : servers) {
    if (!view.up || !view.role_status.serving ||
        view.role_status.epoch != first.role_status.epoch ||
        view.role_status.leader != first.role_status.leader || view.delivered != first.delivered) {
      return false;
    }
  }
  return true;
}

// Restarts and connects all servers but `absent`, and waits until they have converged.
void heal(ScriptedEnsemble& ensemble, int ticks_max, ScriptedEnsemble::Id absent = no_server) {
  const auto servers = ensemble.servers();
  for (const auto& [id, view] : servers) ensemble.run("disk of " + std::to_string(id) + " resumes");
  for (const auto& [a, one] : servers) {
    for (const auto& [b, other] : servers) {
      if (a < b && !ensemble.connected(a, b)) {
        ensemble.run("heal " + std::to_string(a) + ' ' + std::to_string(b));
      }
    }
  }
  for (int ticks = 0; ticks < ticks_max; ++ticks) {
    for (const auto& [id, view] : ensemble.servers()) {
      if (!view.up && id != absent) ensemble.run("restart " + std::to_string(id));
    }
    ensemble.deliver_all("");
    if (has_converged(ensemble, absent)) return;
    ensemble.run("tick all");
  }
}

void submit(const std::string& payload, ScriptedEnsemble& ensemble) {
  for (const auto& [id, view] : ensemble.servers()) {
    if (view.role_status.leader.value == id) {
      ensemble.run("submit " + payload + " to " + std::to_string(id));
    }
  }
}

// The way a server crashes: at once, with its disk stopped before (`unwritten`), the same together
// with all others (`all`), or within its next step.
enum class How { at_once, unwritten, all, after_send, after_persist, after_confirm };

// The crashes after a command, and those between two deliveries of one command.
constexpr How ways[] = {How::at_once,    How::unwritten,     How::all,
                        How::after_send, How::after_persist, How::after_confirm};
constexpr How ways_between_deliveries[] = {How::unwritten, How::after_persist};

std::string name_of(How how) {
  switch (how) {
    case How::at_once: return "crashes";
    case How::unwritten: return "has stopped writing, and crashes";
    case How::all: return "has stopped writing, and all crash";
    case How::after_send: return "crashes after send";
    case How::after_persist: return "crashes after persist";
    case How::after_confirm: return "crashes after confirm";
  }
  return "";
}

// Crashes `absent` and runs the others without it. They may be unable to serve without it; if they
// do serve, they must have everything that was delivered.
void run_without(ScriptedEnsemble::Id absent, const Transcript& transcript,
                 ScriptedEnsemble& ensemble, const std::string& delivered) {
  constexpr int ticks_max = 20;
  ensemble.run("crash " + std::to_string(absent));
  heal(ensemble, ticks_max, absent);
  if (has_converged(ensemble, absent) && !transcript.may_lose) {
    CHECK_MESSAGE(is_prefix(delivered, longest_delivered(ensemble)), ensemble.run("show"));
  }
  submit("meanwhile", ensemble);
  ensemble.deliver_all("");
  CHECK(disagreement(ensemble) == "");
}

// Heals the ensemble and checks that it converges, kept everything delivered, and commits again.
void check_recovery(const Transcript& transcript, ScriptedEnsemble& ensemble,
                    const std::string& delivered) {
  // A server that was elected and has no followers gives up only at the init limit.
  constexpr int ticks_max = 130;
  heal(ensemble, ticks_max);
  CHECK(disagreement(ensemble) == "");
  if (transcript.may_not_converge) return;
  CHECK_MESSAGE(has_converged(ensemble), ensemble.run("show"));
  if (!transcript.may_lose) CHECK(is_prefix(delivered, longest_delivered(ensemble)));

  // A crash that was ordered for the next step may happen only now, so this is tried twice.
  for (int attempt = 0; attempt < 2 && !longest_delivered(ensemble).ends_with("=alive");
       ++attempt) {
    submit("alive", ensemble);
    heal(ensemble, ticks_max);
  }
  CHECK_MESSAGE((has_converged(ensemble) && longest_delivered(ensemble).ends_with("=alive")),
                ensemble.run("show"));
}

// Runs a command, or only the first deliveries of a `settle`.
using Command = std::function<void(ScriptedEnsemble&)>;

std::vector<Command> beginnings_of(const std::string& command, const ScriptedEnsemble& before) {
  std::istringstream words(command);
  std::string how;
  words >> how;
  if (how != "settle") return {};
  how.clear();
  words >> how;
  ScriptedEnsemble complete = before;
  complete.run(command);
  const std::string end = complete.run("in transit");
  std::vector<Command> beginnings;
  for (int deliveries = 2;; deliveries *= 3) {
    ScriptedEnsemble ensemble = before;
    ensemble.deliver_all(how, deliveries);
    if (ensemble.run("in transit") == end) return beginnings;
    beginnings.emplace_back([=](ScriptedEnsemble& target) { target.deliver_all(how, deliveries); });
  }
}

const std::string& longer(const std::string& a, const std::string& b) {
  return a.size() > b.size() ? a : b;
}

void crash(const Transcript& transcript, const ScriptedEnsemble& before, const Command& command,
           std::span<const How> hows, const std::string& delivered) {
  ScriptedEnsemble after = before;
  command(after);
  for (const auto& [id, view] : after.servers()) {
    const std::string server = std::to_string(id);
    CAPTURE(server);
    for (const How how : hows) {
      if (!view.up) continue;
      const std::string crash_text = name_of(how);
      CAPTURE(crash_text);
      ScriptedEnsemble ensemble = after;
      if (how == How::unwritten || how == How::all) {
        if (!before.servers().contains(id)) continue;
        ensemble = before;
        ensemble.run("disk of " + server + " stops");
        command(ensemble);
      }
      const std::string seen = longer(delivered, longest_delivered(ensemble));
      if (how == How::all) {
        for (const auto& [other, up] : ensemble.servers())
          ensemble.run("crash " + std::to_string(other));
      } else if (how == How::at_once || how == How::unwritten) {
        ensemble.run("crash " + server);
      } else {
        ensemble.run("crash " + server + crash_text.substr(std::string("crashes").size()));
      }
      if (how == How::unwritten) {
        for (const auto& [other, up] : ensemble.servers()) {
          if (other == id) continue;
          CAPTURE(other);
          ScriptedEnsemble without = ensemble;
          run_without(other, transcript, without, seen);
          check_recovery(transcript, without, seen);
        }
      }
      check_recovery(transcript, ensemble, seen);
    }
  }
}

void crash_everywhere_in(const std::string& path) {
  const Transcript transcript = read(path);
  CAPTURE(path);
  ScriptedEnsemble ensemble;
  ensemble.be_quiet();
  std::string delivered;  // by any server, so far
  // In a long transcript, most commands only prepare the situation.
  const std::size_t stride = 1 + transcript.commands.size() / 30;
  for (std::size_t i = 0; i < transcript.commands.size(); ++i) {
    const std::string& command = transcript.commands[i];
    CAPTURE(command);
    if (i % stride == 0) {
      for (const Command& beginning : beginnings_of(command, ensemble)) {
        crash(transcript, ensemble, beginning, ways_between_deliveries, delivered);
      }
      const Command complete = [&](ScriptedEnsemble& target) { target.run(command); };
      crash(transcript, ensemble, complete, ways, delivered);
    }
    ensemble.run(command);
    delivered = longer(delivered, longest_delivered(ensemble));
  }
}

// The transcripts are divided, so that no test takes long, and so that the parts run side by side.
constexpr std::size_t parts = 4;

void crash_everywhere_in_part(std::size_t part) {
  const auto paths = support::transcripts_in(support::source("tests/zab/transcripts"));
  REQUIRE(paths.size() > parts);
  for (std::size_t i = part; i < paths.size(); i += parts) crash_everywhere_in(paths[i]);
}

}  // namespace

TEST_CASE("an ensemble recovers from a crash at any place in a transcript, part 1") {
  crash_everywhere_in_part(0);
}
TEST_CASE("an ensemble recovers from a crash at any place in a transcript, part 2") {
  crash_everywhere_in_part(1);
}
TEST_CASE("an ensemble recovers from a crash at any place in a transcript, part 3") {
  crash_everywhere_in_part(2);
}
TEST_CASE("an ensemble recovers from a crash at any place in a transcript, part 4") {
  crash_everywhere_in_part(3);
}
