#pragma once

#include <string>

// The examples of docs/client.md. Each connects to the servers at `urls`.
namespace client_page {

void blocking(const std::string& urls);
void update_app(const std::string& urls);
void use_values(const std::string& urls);
void deadline(const std::string& urls);
void locks(const std::string& urls);
void observers(const std::string& urls);
void caches(const std::string& urls);
void data(const std::string& urls);

}  // namespace client_page
