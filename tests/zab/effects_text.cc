#include "tests/zab/effects_text.h"

#include <sstream>

#include "zab/print.h"

namespace {

std::string text_of_read(const zab::Read& read) {
  if (const auto* history = std::get_if<zab::ReadHistory>(&read)) {
    return "read log after " + wire::to_string(history->after.zxid) + ", for " +
           to_string(history->learner);
  }
  const auto& snapshot = std::get<zab::ReadSnapshot>(read);
  return (snapshot.first ? "read snapshot, for " : "read more of the snapshot, for ") +
         to_string(snapshot.learner);
}

}  // namespace

std::string text_of(const zab::Effects& effects) {
  std::string text;
  if (effects.role_status) text += "is " + to_string(*effects.role_status) + '\n';
  for (const zab::Envelope& envelope : effects.send) {
    text += "send " + to_string(envelope.to) + ' ' + to_string(envelope.message) + '\n';
  }
  for (const zab::Persist& persist : effects.persist) {
    text += "persist " + zab::to_string(persist) + '\n';
  }
  for (const zab::Envelope& envelope : effects.confirm) {
    text += "confirm " + to_string(envelope.to) + ' ' + to_string(envelope.message) + '\n';
  }
  for (const zab::Read& read : effects.read) text += text_of_read(read) + '\n';
  if (effects.restore) text += "restore " + to_string(effects.restore->zxid) + '\n';
  for (const zab::Txn& txn : effects.deliver) text += "deliver " + to_string(txn.zxid) + '\n';
  for (const zab::Confirmed& confirmed : effects.confirmed) {
    text += "confirmed " + std::to_string(confirmed.token) + " at " +
            to_string(confirmed.committed) + '\n';
  }
  for (const zab::Payload& payload : effects.refused) text += "refused " + *payload + '\n';
  for (const zab::Note& note : effects.notes) text += "note: " + note.text + '\n';
  return text;
}

std::string indented(const std::string& text) {
  std::istringstream in(text);
  std::string lines;
  for (std::string line; std::getline(in, line);) lines += "  " + line + '\n';
  return lines;
}
