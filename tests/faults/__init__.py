"""Proof of the promise that nothing acknowledged is ever lost: real git, real processes, real kill -9."""
