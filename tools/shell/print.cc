#include "tools/shell/print.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "wire/field_writer.h"
#include "wire/json_text.h"
#include "wire/reply_fields.h"
#include "wire/utf8.h"

namespace shell {
namespace {

// The number of characters in UTF-8.
std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

}  // namespace

std::string time_text(wire::TimeMs time) {
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm parts{};
  if (!gmtime_r(&seconds, &parts)) return std::to_string(time);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(time % 1000));
  return std::string(text.data(), size) + fraction.data();
}

wire::TimeMs wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string seconds_text(std::chrono::milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (const auto rest = time.count() % 1000; rest != 0) {
    text += '.' + std::to_string(1000 + rest).substr(1);
  }
  return text;
}

std::string count_text(std::uint64_t count, std::string_view noun, std::string_view plural) {
  std::string text = std::to_string(count) + ' ';
  if (count == 1 || plural.empty()) {
    text += noun;
    return count == 1 ? text : text + 's';
  }
  return text.append(plural);
}

std::string stat_text(const wire::Stat& stat) {
  std::vector<Row> rows{{"czxid", wire::to_hex(stat.czxid)},
                        {"mzxid", wire::to_hex(stat.mzxid)},
                        {"pzxid", wire::to_hex(stat.pzxid)},
                        {"ctime", time_text(stat.ctime)},
                        {"mtime", time_text(stat.mtime)},
                        {"version", std::to_string(stat.version)},
                        {"cversion", std::to_string(stat.cversion)},
                        {"aversion", std::to_string(stat.aversion)},
                        {"ephemeralOwner", wire::to_hex(stat.ephemeral_owner.value)},
                        {"dataLength", std::to_string(stat.data_length)},
                        {"numChildren", std::to_string(stat.num_children)}};
  if (stat.ttl_ms) rows.push_back({"ttlMs", std::to_string(*stat.ttl_ms)});
  if (stat.container) rows.push_back({"container", "true"});
  return table(rows, {false, false});
}

std::string table(const std::vector<Row>& rows, const std::vector<bool>& right) {
  return Table(right).text(rows);
}

std::string Table::text(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths_[i] = std::max(widths_[i], characters_of(row[i]));
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths_[i] - characters_of(row[i]), ' ');
      if (i > 0) line += "  ";
      line += right_[i] ? blanks + row[i] : row[i] + blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string raw_line(const Row& row) {
  std::string line;
  for (const std::string& cell : row) line += cell + '\t';
  line.pop_back();
  return line + '\n';
}

std::string child_json(const char* field, const std::string& name,
                       const std::optional<wire::Stat>& stat) {
  using Json = wire::json::JsonSyntax;
  std::string text;
  {
    wire::ObjectWriter<Json> object(text);
    object.string(field, name);
    if (stat) {
      wire::ObjectWriter<Json> fields(object.field("stat"));
      wire::FieldWriter<Json>(fields).write(*stat);
    }
  }
  return text + '\n';
}

std::string json_line(const nlohmann::json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::string node_line(std::string_view path, const std::optional<wire::Stat>& stat) {
  using Syntax = wire::json::JsonSyntax;
  std::string text;
  {
    wire::ObjectWriter<Syntax> object(text);
    object.string("path", path);
    if (stat) {
      wire::ObjectWriter<Syntax> fields(object.field("stat"));
      wire::FieldWriter<Syntax>(fields).write(*stat);
    }
  }
  return text + '\n';
}

std::string data_in_a_line(std::string_view data) {
  constexpr std::size_t bytes_max = 200;
  if (data.size() > bytes_max || !wire::is_utf8(data)) {
    return '(' + std::to_string(data.size()) + " bytes)";
  }
  if (std::ranges::none_of(data, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return std::string(data);
  }
  std::string text;
  wire::json::append_string(data, text);
  return text;
}

std::string event_text(const wire::WatchEvent& event) {
  std::string text(wire::name(event.kind));
  if (event.kind == wire::EventKind::resync) {
    return text + " (events were missed up to " + wire::to_string(event.zxid) + ')';
  }
  text += ' ' + event.path;
  if (event.data && !event.data->empty()) text += ' ' + data_in_a_line(event.data->get());
  return text;
}

}  // namespace shell
