#pragma once

#include "client-lib/options.h"
