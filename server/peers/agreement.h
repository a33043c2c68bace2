#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "server/peers/greeting.h"
#include "server/peers/peer_program.h"
#include "wire/forms.h"
#include "wire/result.h"
#include "zab/ensemble.h"

// Decides what a pair of greetings leads to. Pure: equal arguments, equal results.
namespace server {

// Compares the greeting of this server with that of the other end. Returns the other end's program,
// and the greatest protocol that both speak. An error is a sentence that says why the other end is
// refused, and what to do. It names both servers by id, because both log it.
[[nodiscard]] wire::Result<PeerProgram> agree(
    const Greeting& mine, const Greeting& theirs,
    const std::function<bool(zab::ServerId)>& is_expected);

// Says that the server cannot be linked while this level is in force, and what to do.
[[nodiscard]] std::string unable_sentence(zab::ServerId server, const std::string& program,
                                          const wire::LevelRange& levels, wire::Level in_force);

// How a dial ended that led to no link.
enum class Dialed : std::uint8_t {
  answered,    // it is not clear what the answer was; or the server could not be reached
  refused,     // one of both said why
  unanswered,  // the other end closed the connection without an answer
};

// The forms in which this server greets another one, dial after dial. Two unanswered greetings with
// fields are followed by one of the fixed form: a newer program that is killed at the wrong moment
// leaves one unanswered, but hardly two.
class DialForms {
 public:
  [[nodiscard]] GreetingForm now() const { return form_; }
  // The outcome of a dial. No server can have the fixed form above level 0.
  void dialed(Dialed dialed, wire::Level in_force);

 private:
  GreetingForm form_ = GreetingForm::fields;
  int unanswered_ = 0;  // greetings with fields, in a row
};

}  // namespace server
