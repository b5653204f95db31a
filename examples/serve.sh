#!/usr/bin/env bash
# The guide's serving and its image, with the program changed. Run tracking_example.py and registry_example.py first.
set -euo pipefail
port=${PORT:-5001}

runfolio models serve -m models:/wine-classifier/Production -p "$port" --env-manager local &
server=$!
trap 'kill "$server" 2> /dev/null; wait "$server" || true' EXIT
curl --silent --fail --retry 120 --retry-delay 1 --retry-connrefused "http://localhost:$port/ping" > /dev/null

curl --silent --fail-with-body -X POST "http://localhost:$port/invocations" \
  -H "Content-Type: application/json" \
  -d '{
    "inputs": [
      [14.23, 1.71, 2.43, 15.6, 127.0, 2.80, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065.0],
      [12.37, 1.07, 2.10, 18.5, 88.0, 3.52, 3.75, 0.24, 1.95, 4.50, 1.04, 2.77, 660.0]
    ]
  }'
echo

# With an engine that answers (docker, podman, buildah) the image is built; without one, or with DRY_RUN=1, what would be done is printed.
how=()
if [ -n "${DRY_RUN:-}" ] || ! { docker info || podman info || buildah info; } > /dev/null 2>&1; then
  how=(--dry-run --no-lock)
fi
runfolio models build-docker \
  -m models:/wine-classifier/Production \
  -n wine-classifier-serving:v1.0 \
  --enable-mlserver "${how[@]}"
# Then: docker run -p 5001:8080 wine-classifier-serving:v1.0
