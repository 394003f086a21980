#!/bin/sh
# Starts the gateway in a fresh or used volume. What is on the volume belongs to the pod's own user and to nobody else.
set -eu
umask 077
mkdir -p "$OPENCLAW_STATE_DIR" "$HOME"
exec node /opt/openclaw/node_modules/openclaw/openclaw.mjs gateway run "$@"
