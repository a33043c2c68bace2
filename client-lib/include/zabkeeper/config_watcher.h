#pragma once

#include "client-lib/config_watcher.h"
