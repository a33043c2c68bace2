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

// Says that the server cannot be linked, because it has to run at the level `needed`, and what to
// do.
[[nodiscard]] std::string unable_sentence(zab::ServerId server, const std::string& program,
                                          const wire::LevelRange& levels, wire::Level needed);

// The end of a dial that established no link.
enum class Dialed : std::uint8_t {
  answered,    // neither of the others: any other answer, or the server cannot be reached
  refused,     // one of the two servers sent the reason
  unanswered,  // the other end closed the connection without an answer
};

// Chooses the form in which this server greets another one, for each dial. After two unanswered
// greetings with fields it chooses the fixed form once: the other program may be old. (One greeting
// alone may be unanswered because a newer program was killed at that moment.)
class DialForms {
 public:
  [[nodiscard]] GreetingForm now() const { return form_; }
  // The outcome of a dial. If the other program needs a level above 0, no server greets in the
  // fixed form.
  void dialed(Dialed dialed, wire::Level needed);

 private:
  GreetingForm form_ = GreetingForm::fields;
  int unanswered_ = 0;  // greetings with fields, in a row
};

}  // namespace server
