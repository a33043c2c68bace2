#pragma once

#include "server/config/config.h"
#include "server/peers/links.h"
#include "server/pipeline/options.h"

// The configuration of a server, as the small structs of the rooms that use it.
namespace server {

[[nodiscard]] PipelineOptions pipeline_options(const Config& config);
[[nodiscard]] Links::Options links_options(const Config& config);

}  // namespace server
