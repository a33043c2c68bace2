#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "tools/shell/doctor.h"
#include "tools/shell/http_pages.h"
#include "wire/zxid.h"

// The findings that need the facts of several servers.
namespace shell {
namespace {

using Severity = Finding::Severity;
using nlohmann::json;

// All servers of the ensemble, as the servers with a status report them.
struct Members {
  struct Member {
    std::string address;  // for other servers; empty if none of them reports it
    bool votes = true;
    const ServerFacts* facts = nullptr;  // null: there is no status
    bool is_linked = false;              // another server has a link with it
  };
  std::map<std::uint64_t, Member> by_id;
  std::vector<const ServerFacts*> with_status;

  [[nodiscard]] std::size_t voters() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(by_id, [](const auto& each) { return each.second.votes; }));
  }
  // Voters that serve, and voters without a status that another server is linked with.
  [[nodiscard]] std::size_t voters_there() const {
    return static_cast<std::size_t>(std::ranges::count_if(by_id, [](const auto& each) {
      const Member& member = each.second;
      if (!member.votes) return false;
      if (member.facts == nullptr) return member.is_linked;
      return json_flag(member.facts->status, "serving", false);
    }));
  }
};

std::uint64_t id_of(const ServerFacts& facts) { return facts.status["id"].get<std::uint64_t>(); }

const json& peers_of(const ServerFacts& facts) {
  static const json none = json::array();
  const auto found = facts.status.find("peers");
  return found != facts.status.end() && found->is_array() ? *found : none;
}

Members members_of(const std::vector<ServerFacts>& servers) {
  Members members;
  for (const ServerFacts& facts : servers) {
    if (facts.status.is_null()) continue;
    members.with_status.push_back(&facts);
    members.by_id[id_of(facts)].facts = &facts;
    if (json_text(facts.status, "role") == "observer") members.by_id[id_of(facts)].votes = false;
    for (const json& peer : peers_of(facts)) {
      if (!has_numbers(peer, {"id"})) continue;
      Members::Member& member = members.by_id[peer["id"].get<std::uint64_t>()];
      member.address = json_text(peer, "address");
      if (json_flag(peer, "observer", false)) member.votes = false;
      if (json_flag(peer, "connected", false)) member.is_linked = true;
    }
  }
  return members;
}

bool leads(const ServerFacts& facts) {
  const std::string role = json_text(facts.status, "role");
  return role == "leader" || role == "standalone";
}

// Whether the server follows a leader. That leader need not be in --server.
bool follows(const ServerFacts* facts) {
  return json_flag(facts->status, "serving", false) && has_numbers(facts->status, {"leader"});
}

std::string list_of(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

void judge_quorum(const Members& members, std::vector<Finding>& findings) {
  const std::size_t voters = members.voters();
  const std::size_t quorum = voters / 2 + 1;
  const std::size_t there = members.voters_there();
  const auto leaders = std::ranges::count_if(
      members.with_status, [](const ServerFacts* facts) { return leads(*facts); });
  const bool has_leader = leaders > 0 || std::ranges::any_of(members.with_status, follows);
  const std::string of_all = std::to_string(there) + " of " + std::to_string(voters) + " voters";
  if (!has_leader) {
    findings.push_back({Severity::error,
                        "leader",
                        {},
                        "there is no leader: " + of_all + " are there, and " +
                            std::to_string(quorum) + " are needed",
                        "start the other voters, and look at the links between them"});
  } else if (leaders > 1) {
    findings.push_back({Severity::warning,
                        "leader",
                        {},
                        "several servers say that they lead: the ensemble is changing its leader",
                        "repeat the command in some seconds"});
  } else if (there == quorum && voters > quorum) {
    findings.push_back({Severity::warning,
                        "quorum",
                        {},
                        "only " + of_all + " are there: one more failure stops the ensemble",
                        "bring the other voters back"});
  }
  if (voters > 1 && voters % 2 == 0) {
    findings.push_back({Severity::warning,
                        "voters",
                        {},
                        std::to_string(voters) + " voters survive no more failures than " +
                            std::to_string(voters - 1) + " would",
                        "add a voter, or make one an observer"});
  }
}

void judge_unknown(const Members& members, const std::vector<ServerFacts>& servers,
                   std::vector<Finding>& findings) {
  // A server without a status has no id, so it may be any of those that are missing.
  const auto silent = servers.size() - members.with_status.size();
  std::vector<std::string> missing;
  for (const auto& [id, member] : members.by_id) {
    if (member.facts == nullptr) {
      missing.push_back("server " + std::to_string(id) + " (" + member.address + ')');
    }
  }
  if (missing.size() <= silent) return;
  findings.push_back({Severity::warning,
                      "unknown",
                      {},
                      "not all servers of the ensemble are in --server: " + list_of(missing) +
                          (silent > 0 ? " have no status" : ""),
                      "add them to --server, so that they are examined too"});
}

void judge_links(const Members& members, std::vector<Finding>& findings) {
  for (const ServerFacts* facts : members.with_status) {
    for (const json& peer : peers_of(*facts)) {
      if (!has_numbers(peer, {"id"}) || json_flag(peer, "connected", true)) continue;
      const auto id = peer["id"].get<std::uint64_t>();
      // Another finding reports a server without a status. If both servers lack the link, only one
      // finding reports it.
      const Members::Member& other = members.by_id.at(id);
      if (other.facts == nullptr || id < id_of(*facts)) continue;
      findings.push_back({Severity::warning, "link", facts->server,
                          "it has no link with server " + std::to_string(id) + " (" +
                              json_text(peer, "address") + "), which runs",
                          "check the network between their peer ports, and the log messages of "
                          "both; see operations.md, \"Servers that refuse each other\""});
    }
  }
}

// The servers, grouped by the value of a field of their statuses.
std::map<std::string, std::vector<std::string>> servers_by(const Members& members,
                                                           const char* field) {
  std::map<std::string, std::vector<std::string>> found;
  for (const ServerFacts* facts : members.with_status) {
    const std::string text = json_text(facts->status, field);
    if (text != nothing) found[text].push_back("server " + std::to_string(id_of(*facts)));
  }
  return found;
}

std::string differences(const std::map<std::string, std::vector<std::string>>& servers) {
  std::string text;
  for (const auto& [value, names] : servers) {
    text += (text.empty() ? "" : "; ") + value + ": " + list_of(names);
  }
  return text;
}

void judge_versions(const Members& members, std::vector<Finding>& findings) {
  if (const auto clusters = servers_by(members, "cluster"); clusters.size() > 1) {
    findings.push_back(
        {Severity::error,
         "cluster",
         {},
         "the servers are of different clusters: " + differences(clusters),
         "correct --server; or one of them has a data directory of another ensemble"});
  }
  if (const auto versions = servers_by(members, "version"); versions.size() > 1) {
    findings.push_back({Severity::warning,
                        "version",
                        {},
                        "the servers run different versions: " + differences(versions),
                        "finish the upgrade; see upgrades.md"});
  }
  std::optional<std::uint64_t> level;
  std::optional<std::uint64_t> greatest;
  for (const ServerFacts* facts : members.with_status) {
    const auto levels = facts->status.find("levels");
    if (!has_numbers(facts->status, {"level"}) || levels == facts->status.end() ||
        !has_numbers(*levels, {"greatest"})) {
      return;
    }
    const auto own = facts->status["level"].get<std::uint64_t>();
    const auto can = (*levels)["greatest"].get<std::uint64_t>();
    level = level ? std::max(*level, own) : own;
    greatest = greatest ? std::min(*greatest, can) : can;
  }
  if (!level || *level >= *greatest) return;
  findings.push_back({Severity::warning,
                      "level",
                      {},
                      "the ensemble is at level " + std::to_string(*level) +
                          ", and all these servers can run at " + std::to_string(*greatest),
                      "`zab cluster level " + std::to_string(*greatest) +
                          "` once you will not go back to the former version; see upgrades.md"});
}

// Servers that are far behind the leader.
void judge_behind(const Members& members, std::vector<Finding>& findings) {
  constexpr std::uint64_t behind_max = 100'000;
  const auto zxid_of = [](const ServerFacts& facts) {
    return wire::Zxid::from_bits(wire::from_hex(json_text(facts.status, "zxid")).value_or(0));
  };
  const auto leader = std::ranges::find_if(members.with_status,
                                           [](const ServerFacts* facts) { return leads(*facts); });
  if (leader == members.with_status.end()) return;
  const wire::Zxid newest = zxid_of(**leader);
  for (const ServerFacts* facts : members.with_status) {
    const wire::Zxid own = zxid_of(*facts);
    if (own.epoch != newest.epoch || own.counter + behind_max >= newest.counter) continue;
    findings.push_back({Severity::warning, "behind", facts->server,
                        "it is " + std::to_string(newest.counter - own.counter) +
                            " transactions behind the leader",
                        "wait until it has caught up, before another server is stopped"});
  }
}

}  // namespace

void judge_ensemble(const std::vector<ServerFacts>& servers, std::vector<Finding>& findings) {
  const Members members = members_of(servers);
  if (members.with_status.empty()) return;
  judge_quorum(members, findings);
  judge_unknown(members, servers, findings);
  judge_links(members, findings);
  judge_versions(members, findings);
  judge_behind(members, findings);
}

}  // namespace shell
