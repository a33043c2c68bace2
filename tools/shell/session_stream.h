#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "wire/error.h"
#include "wire/result.h"

namespace shell {

// The sessions that a server lists, in the order of their ids. Keeps one page of them.
class SessionStream {
 public:
  // Gives the server a command, and returns its result.
  using Ask = std::function<wire::Result<nlohmann::json>(const std::string& target)>;

  // `at`: only sessions whose client connected to this server last.
  explicit SessionStream(Ask ask, std::optional<std::uint32_t> at = {});

  // The next session, an object with a text `session` and numbers `timeoutMs` and `ephemerals`.
  // Null at the end, and after an error.
  [[nodiscard]] const nlohmann::json* peek();
  void pop() { position_ += 1; }
  // The error that has ended the list too early, if any.
  [[nodiscard]] const std::optional<wire::Error>& error() const { return error_; }

 private:
  void read_page();

  Ask ask_;
  std::string filter_;
  std::optional<std::string> next_ = std::string(16, '0');  // none: there are no more pages
  nlohmann::json page_ = nlohmann::json::array();
  std::size_t position_ = 0;
  std::optional<wire::Error> error_;
};

// Calls `visit` for each session of `all`. Only the server of a session's client knows its address,
// watches and outstanding requests. They are added from that server's stream in `own`.
void merge_sessions(SessionStream& all, std::map<std::uint32_t, SessionStream>& own,
                    const std::function<void(const nlohmann::json& session)>& visit);

}  // namespace shell
