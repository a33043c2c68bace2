#include "tools/shell/session_stream.h"

#include <algorithm>
#include <utility>

#include "tools/shell/http_pages.h"
#include "wire/zxid.h"

namespace shell {
namespace {

bool is_session(const nlohmann::json& session) {
  return has_numbers(session, {"timeoutMs", "ephemerals"}) && session.contains("session") &&
         session["session"].is_string() &&
         wire::from_hex(session["session"].get<std::string>()).has_value();
}

// Whether the reply is a page. Its ids must be greater than `after`, so that the list has an end.
bool is_page(const nlohmann::json& reply, const std::string& after) {
  if (!reply.is_object() || !reply.contains("sessions") || !reply.contains("next")) return false;
  const nlohmann::json& next = reply["next"];
  if (!next.is_null() && !(next.is_string() && next.get<std::string>() > after)) return false;
  return reply["sessions"].is_array() && std::ranges::all_of(reply["sessions"], is_session);
}

std::string id_of(const nlohmann::json& session) { return session["session"].get<std::string>(); }

}  // namespace

SessionStream::SessionStream(Ask ask, std::optional<std::uint32_t> at) : ask_(std::move(ask)) {
  if (at) filter_ = "&at=" + std::to_string(*at);
}

const nlohmann::json* SessionStream::peek() {
  while (position_ >= page_.size() && next_) read_page();
  return position_ < page_.size() ? &page_[position_] : nullptr;
}

void SessionStream::read_page() {
  const std::string after = *std::exchange(next_, std::nullopt);
  page_ = nlohmann::json::array();
  position_ = 0;
  auto reply = ask_("/admin/sessions?after=" + after + filter_);
  if (reply.has_error()) {
    error_ = reply.error();
    return;
  }
  if (!is_page(*reply, after)) {
    error_ = wire::Error{wire::ErrorCode::system_error, not_zabkeeper};
    return;
  }
  page_ = std::move((*reply)["sessions"]);
  if (!(*reply)["next"].is_null()) next_ = (*reply)["next"].get<std::string>();
}

void merge_sessions(SessionStream& all, std::map<std::uint32_t, SessionStream>& own,
                    const std::function<void(const nlohmann::json& session)>& visit) {
  for (; const nlohmann::json* listed = all.peek(); all.pop()) {
    const bool has_server = has_numbers(*listed, {"server"});
    const auto stream = has_server ? own.find((*listed)["server"].get<std::uint32_t>()) : own.end();
    if (stream == own.end()) {
      visit(*listed);
      continue;
    }
    const std::string id = id_of(*listed);
    const nlohmann::json* details = stream->second.peek();
    for (; details != nullptr && id_of(*details) < id; details = stream->second.peek()) {
      stream->second.pop();
    }
    visit(details != nullptr && id_of(*details) == id ? *details : *listed);
  }
}

}  // namespace shell
