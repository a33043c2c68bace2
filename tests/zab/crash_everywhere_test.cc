#include <fstream>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/transcript.h"
#include "tests/zab/stage.h"

// Every story again, with one more crash: of every server, after every command and in the midst of
// what it does next. What they tell is not compared. Then everything is healed, and the ensemble
// has to find together and to have lost nothing; and also after it has gone on without one more for
// a while. Where that cannot be, the story's head says so: "With one more crash: may end apart, may
// lose."
namespace {

struct Story {
  std::vector<std::string> commands;
  bool may_end_apart = false;
  bool may_lose = false;
};

Story read(const std::string& path) {
  Story story;
  std::ifstream in(path);
  REQUIRE(in);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) {
      story.may_end_apart |= line.find("may end apart") != std::string::npos;
      story.may_lose |= line.find("may lose") != std::string::npos;
      continue;
    }
    if (line.empty()) continue;
    story.commands.push_back(line);
    while (std::getline(in, line) && !line.empty()) {
    }
  }
  return story;
}

bool is_prefix(const std::string& first, const std::string& second) {
  return (second + ' ').starts_with(first + ' ');
}

std::string longest_delivered(const Stage& stage) {
  std::string longest;
  for (const auto& [id, view] : stage.servers()) {
    if (view.delivered.size() > longest.size()) longest = view.delivered;
  }
  return longest;
}

// How two servers disagree about what was delivered, if they do.
std::string disagreement(const Stage& stage) {
  const std::string longest = longest_delivered(stage);
  for (const auto& [id, view] : stage.servers()) {
    if (!is_prefix(view.delivered, longest)) {
      return std::to_string(id) + " delivered" + view.delivered + ", another" + longest;
    }
  }
  return "";
}

constexpr Stage::Id nobody = 0;

// All but `absent` serve in one epoch, and have delivered the same.
bool is_whole(const Stage& stage, Stage::Id absent = nobody) {
  auto servers = stage.servers();
  servers.erase(absent);
  const Stage::View& first = servers.begin()->second;
  for (const auto& [id, view] : servers) {
    if (!view.up || !view.role_status.serving ||
        view.role_status.epoch != first.role_status.epoch ||
        view.role_status.leader != first.role_status.leader || view.delivered != first.delivered) {
      return false;
    }
  }
  return true;
}

// Brings all back but `absent`, and waits until they have found together.
void heal(Stage& stage, int ticks_max, Stage::Id absent = nobody) {
  const auto servers = stage.servers();
  for (const auto& [id, view] : servers) stage.run("disk of " + std::to_string(id) + " goes on");
  for (const auto& [a, one] : servers) {
    for (const auto& [b, other] : servers) {
      if (a < b && !stage.connected(a, b)) {
        stage.run("heal " + std::to_string(a) + ' ' + std::to_string(b));
      }
    }
  }
  for (int ticks = 0; ticks < ticks_max; ++ticks) {
    for (const auto& [id, view] : stage.servers()) {
      if (!view.up && id != absent) stage.run("restart " + std::to_string(id));
    }
    stage.deliver_all("");
    if (is_whole(stage, absent)) return;
    stage.run("tick all");
  }
}

void submit(const std::string& payload, Stage& stage) {
  for (const auto& [id, view] : stage.servers()) {
    if (view.role_status.leader.value == id) {
      stage.run("submit " + payload + " to " + std::to_string(id));
    }
  }
}

enum class How { at_once, unwritten, all, after_send, after_persist, after_confirm };

// Between two commands, and between two deliveries of one.
constexpr How ways[] = {How::at_once,    How::unwritten,     How::all,
                        How::after_send, How::after_persist, How::after_confirm};
constexpr How ways_in_between[] = {How::unwritten, How::after_persist};

std::string in_words(How how) {
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

// The others go on without one that is there no more. They may have to wait for it; if they do not,
// they have everything.
void go_on_without(Stage::Id absent, const Story& story, Stage& stage,
                   const std::string& delivered) {
  constexpr int ticks_max = 20;
  stage.run("crash " + std::to_string(absent));
  heal(stage, ticks_max, absent);
  if (is_whole(stage, absent) && !story.may_lose) {
    CHECK_MESSAGE(is_prefix(delivered, longest_delivered(stage)), stage.run("show"));
  }
  submit("meanwhile", stage);
  stage.deliver_all("");
  CHECK(disagreement(stage) == "");
}

// What was delivered before has to be there in the end, all over the ensemble.
void live_on(const Story& story, Stage& stage, const std::string& delivered) {
  // One that holds itself elected, and is followed by nobody, gives up at the init limit.
  constexpr int ticks_max = 130;
  heal(stage, ticks_max);
  CHECK(disagreement(stage) == "");
  if (story.may_end_apart) return;
  CHECK_MESSAGE(is_whole(stage), stage.run("show"));
  if (!story.may_lose) CHECK(is_prefix(delivered, longest_delivered(stage)));

  // The crash may not have come before this.
  for (int attempt = 0; attempt < 2 && !longest_delivered(stage).ends_with("=alive"); ++attempt) {
    submit("alive", stage);
    heal(stage, ticks_max);
  }
  CHECK_MESSAGE((is_whole(stage) && longest_delivered(stage).ends_with("=alive")),
                stage.run("show"));
}

// Runs a command, or the beginning of one that delivers much.
using Command = std::function<void(Stage&)>;

std::vector<Command> beginnings_of(const std::string& command, const Stage& before) {
  std::istringstream words(command);
  std::string how;
  words >> how;
  if (how != "settle") return {};
  how.clear();
  words >> how;
  Stage whole = before;
  whole.run(command);
  const std::string end = whole.run("under way");
  std::vector<Command> beginnings;
  for (int deliveries = 2;; deliveries *= 3) {
    Stage stage = before;
    stage.deliver_all(how, deliveries);
    if (stage.run("under way") == end) return beginnings;
    beginnings.emplace_back([=](Stage& told) { told.deliver_all(how, deliveries); });
  }
}

const std::string& longer(const std::string& a, const std::string& b) {
  return a.size() > b.size() ? a : b;
}

void crash(const Story& story, const Stage& before, const Command& command,
           std::span<const How> hows, const std::string& delivered) {
  Stage after = before;
  command(after);
  for (const auto& [id, view] : after.servers()) {
    const std::string server = std::to_string(id);
    CAPTURE(server);
    for (const How how : hows) {
      if (!view.up) continue;
      const std::string what = in_words(how);
      CAPTURE(what);
      Stage stage = after;
      if (how == How::unwritten || how == How::all) {
        if (!before.servers().contains(id)) continue;
        stage = before;
        stage.run("disk of " + server + " stops");
        command(stage);
      }
      const std::string seen = longer(delivered, longest_delivered(stage));
      if (how == How::all) {
        for (const auto& [other, up] : stage.servers()) stage.run("crash " + std::to_string(other));
      } else if (how == How::at_once || how == How::unwritten) {
        stage.run("crash " + server);
      } else {
        stage.run("crash " + server + what.substr(std::string("crashes").size()));
      }
      if (how == How::unwritten) {
        for (const auto& [other, up] : stage.servers()) {
          if (other == id) continue;
          CAPTURE(other);
          Stage without = stage;
          go_on_without(other, story, without, seen);
          live_on(story, without, seen);
        }
      }
      live_on(story, stage, seen);
    }
  }
}

}  // namespace

TEST_CASE("a crash anywhere in a story is survived") {
  for (const std::string& path :
       support::transcripts_in(ZABKEEPER_SOURCE_DIR "/tests/zab/transcripts")) {
    const Story story = read(path);
    CAPTURE(path);
    Stage stage;
    stage.be_quiet();
    std::string delivered;  // by anybody, up to here
    // In a long story, most commands only set the scene.
    const std::size_t stride = 1 + story.commands.size() / 30;
    for (std::size_t i = 0; i < story.commands.size(); ++i) {
      const std::string& command = story.commands[i];
      CAPTURE(command);
      if (i % stride == 0) {
        for (const Command& beginning : beginnings_of(command, stage)) {
          crash(story, stage, beginning, ways_in_between, delivered);
        }
        const Command whole = [&](Stage& told) { told.run(command); };
        crash(story, stage, whole, ways, delivered);
      }
      stage.run(command);
      delivered = longer(delivered, longest_delivered(stage));
    }
  }
}
