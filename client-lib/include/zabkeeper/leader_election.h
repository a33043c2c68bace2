#pragma once

#include "client-lib/leader_election.h"
