"""Brian2's own log on the terminal is for Brian2's developers; what a user has to know, cosim says itself."""

from __future__ import annotations

from brian2.utils.logger import BrianLogger

BrianLogger.log_level_error()
