#include "server/peers/link_news.h"

#include <chrono>
#include <optional>
#include <string>

#include <doctest/doctest.h>

namespace server {
namespace {

using namespace std::chrono_literals;

constexpr LinkNews::TimePoint news_begin{1h};
constexpr zab::ServerId second_server{2};
constexpr zab::ServerId third_server{3};

TEST_CASE("a link that is lost again and again is logged once in ten minutes, with a count") {
  LinkNews news;
  int lines = 0;
  for (auto now = news_begin; now < news_begin + 10min; now += 1s) {
    lines += news.linked(second_server, "zabkeeper 1.0", now) ? 1 : 0;
    lines += news.lost(second_server, "closed", now + 500ms) ? 1 : 0;
    CHECK(news.overdue(now + 500ms).empty());
  }
  CHECK(lines == 3);  // linked, lost, linked
  CHECK_FALSE(news.linked(second_server, "zabkeeper 1.0", news_begin + 10min));
  CHECK(news.lost(second_server, "closed", news_begin + 10min + 500ms) ==
        " (599 times more since the last such line)");
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin + 10min + 1s));
}

TEST_CASE("a loss for another reason, of another server or of a lasting link is logged at once") {
  LinkNews news;
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin));
  CHECK(news.linked(third_server, "zabkeeper 1.0", news_begin));
  CHECK(news.lost(second_server, "closed", news_begin + 1s) == "");
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin + 2s));
  CHECK(news.lost(second_server, "silent", news_begin + 3s) == "");
  CHECK(news.lost(third_server, "closed", news_begin + 3s) == "");
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin + 4s));
  CHECK(news.lost(second_server, "closed", news_begin + 4s + LinkNews::lasting) == "");
}

TEST_CASE("a loss that is not logged at once is logged when it lasts") {
  LinkNews news;
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin));
  CHECK(news.lost(second_server, "closed", news_begin) == "");
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin));
  CHECK(news.lost(second_server, "closed", news_begin) == std::nullopt);
  CHECK(news.overdue(news_begin + LinkNews::patience - 1s).empty());
  const auto overdue = news.overdue(news_begin + LinkNews::patience);
  REQUIRE(overdue.size() == 1);
  CHECK(overdue[0].server == second_server);
  CHECK(overdue[0].reason == "closed");
  CHECK(news.overdue(news_begin + LinkNews::patience).empty());
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin + 31s));
}

TEST_CASE("a link with another program is logged, whatever was logged before") {
  LinkNews news;
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin));
  CHECK(news.lost(second_server, "closed", news_begin) == "");
  CHECK(news.linked(second_server, "zabkeeper 1.0", news_begin));
  CHECK(news.lost(second_server, "closed", news_begin) == std::nullopt);
  CHECK(news.linked(second_server, "zabkeeper 1.1", news_begin));
}

}  // namespace
}  // namespace server
