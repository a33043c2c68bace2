#pragma once

#include "client-lib/json.h"
