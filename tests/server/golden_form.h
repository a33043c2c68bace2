#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/bytes.h"

// Values of every binary form in each of its versions. tests/compat/forms.txt has their bytes.
namespace golden {

struct GoldenForm {
  std::string name;     // "command 3, create": the form, its version and the value
  wire::Bytes written;  // by this program
  // Whether this program reads the value from these bytes.
  std::function<bool(std::string_view bytes)> reads_back;
};
using GoldenForms = std::vector<GoldenForm>;

void add_commands(GoldenForms& forms);
void add_refusals(GoldenForms& forms);
void add_transactions(GoldenForms& forms);
void add_tree_transactions(GoldenForms& forms);
void add_outcomes(GoldenForms& forms);
void add_stored_records(GoldenForms& forms);
void add_greetings(GoldenForms& forms);
void add_peer_messages(GoldenForms& forms);

}  // namespace golden
