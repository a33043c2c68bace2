#include "wire/terminal_text.h"

#include <string>

#include <doctest/doctest.h>

namespace wire {
namespace {

TEST_CASE("control characters and bytes that are not UTF-8 are escaped for a terminal") {
  struct Row {
    std::string text;
    std::string escaped;
  };
  for (const Row& row : {
           Row{"plain gr\xc3\xbc\xc3\x9f \xe2\x94\x94\xe2\x94\x80 \xf0\x9f\xa6\x80",
               "plain gr\xc3\xbc\xc3\x9f \xe2\x94\x94\xe2\x94\x80 \xf0\x9f\xa6\x80"},
           Row{"two\nlines\tand a tab", "two\nlines\tand a tab"},
           Row{"\x1b[31mred\x1b]0;title\x07", R"(\x1b[31mred\x1b]0;title\x07)"},
           Row{"secret\rpublic", R"(secret\rpublic)"},
           Row{std::string("a\0b", 3), R"(a\x00b)"},
           Row{"\b\x7f", R"(\x08\x7f)"},
           Row{"\xc2\x9b"
               "31m",
               R"(\u{009b}31m)"},  // CSI in one character
           Row{"abc\xe2\x80\xae"
               "cba",
               R"(abc\u{202e}cba)"},  // writes backwards
           Row{"caf\xe9!", R"(caf\xe9!)"},
           Row{"\xed\xa0\x80", R"(\xed\xa0\x80)"},  // a surrogate
           Row{"end \xe2\x94", R"(end \xe2\x94)"},
           Row{"", ""},
       }) {
    CAPTURE(row.escaped);
    CHECK(terminal_text(row.text) == row.escaped);
  }
}

TEST_CASE("bytes that are not UTF-8 are replaced in JSON") {
  CHECK(utf8_text("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(utf8_text("a\xe9z\xe2\x94") == "a\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("a character that is divided between two writes is recognized") {
  CHECK(unfinished_bytes("abc") == 0);
  CHECK(unfinished_bytes("gr\xc3") == 1);
  CHECK(unfinished_bytes("gr\xc3\xbc") == 0);
  CHECK(unfinished_bytes("\xe2\x94") == 2);
  CHECK(unfinished_bytes("\xf0\x9f\xa6") == 3);
  CHECK(unfinished_bytes("\x80\x80\x80\x80") == 0);
  CHECK(unfinished_bytes("") == 0);
}

}  // namespace
}  // namespace wire
