#include "tests/sim/event_text.h"

#include <algorithm>
#include <cstdio>
#include <variant>

#include "zab/print.h"

namespace sim {

using zab::to_string;

std::string time_text(Time time) {
  char text[32];
  std::snprintf(text, sizeof(text), "%4llu.%03llu", static_cast<unsigned long long>(time / tick),
                static_cast<unsigned long long>(time % tick));
  return text;
}

std::string text_of(const zab::Event& event) {
  struct Text {
    std::string operator()(const zab::Tick&) const { return "tick"; }
    std::string operator()(const zab::LinkUp& e) const {
      return "link up to " + to_string(e.server);
    }
    std::string operator()(const zab::LinkDown& e) const {
      return "link down to " + to_string(e.server);
    }
    std::string operator()(const zab::Received& e) const {
      return "<- " + to_string(e.from) + "  " + to_string(e.message);
    }
    std::string operator()(const zab::Submit& e) const {
      // A service's transactions are not text.
      const bool is_text = std::ranges::all_of(*e.payload, [](char c) { return c >= ' '; });
      return is_text ? "submit " + *e.payload
                     : "submit " + std::to_string(e.payload->size()) + " bytes";
    }
    std::string operator()(const zab::HandOver& e) const {
      return e.to.none() ? "hand over" : "hand over to " + to_string(e.to);
    }
    std::string operator()(const zab::HistoryRead& e) const {
      if (!e.from) return "history for " + to_string(e.learner) + " is no longer in the log";
      return "history read for " + to_string(e.learner) + ", after " +
             wire::to_string(e.from->zxid) + ": " + std::to_string(e.txns.size()) + " txns";
    }
    std::string operator()(const zab::SnapshotRead& e) const {
      return "snapshot at " + wire::to_string(e.at.zxid) + " read for " + to_string(e.learner);
    }
    std::string operator()(const zab::ConfirmLeadership& e) const {
      return "confirm leadership, token " + std::to_string(e.token);
    }
  };
  return std::visit(Text{}, event);
}

std::string name_of(zab::ServerId server) { return "server " + zab::to_string(server); }

}  // namespace sim
