#pragma once

#include "client-lib/client.h"
