#!/usr/bin/env bash
# What action.yml runs: makes the arguments of `dnode-conform run` of the action's inputs, and leaves its reports in a folder.
#
# An input comes as a variable and goes on as one argument, so no shell reads it as anything else. The command in GATE_EXEC alone is read by one, that
# of `dnode-conform --exec`: it is the caller's own.
#
# From the environment: GATE_* (the inputs, in action.yml), GATE_REF (at what the action is used), DNODE_CONFORM* (fixtures/ci/conform.sh);
# GITHUB_STEP_SUMMARY, GITHUB_OUTPUT and RUNNER_TEMP are GitHub's.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -z "${GATE_EXEC:-}${GATE_TARGET:-}" ]; then
  # Without either the program would judge its own reference peer, and that is always green.
  echo "::error title=dnode-conform::say with exec how your server is started, or with target where it listens"
  exit 2
fi

reports=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/dnode-conform.XXXXXX")
echo "reports=$reports" >>"$GITHUB_OUTPUT"

arguments=(run "--report=github=-" "--report=markdown=$GITHUB_STEP_SUMMARY")
for report in json=report.json junit=junit.xml html=report.html events=events.jsonl; do
  arguments+=("--report=${report%%=*}=$reports/${report#*=}")
done
if [ -n "${GATE_EXEC:-}" ]; then arguments+=("--exec=$GATE_EXEC"); fi
if [ -n "${GATE_PING:-}" ]; then arguments+=("--ping=$GATE_PING"); fi
if [ -n "${GATE_LEVEL:-}" ]; then arguments+=("--level=$GATE_LEVEL"); fi
while IFS= read -r argument; do
  if [ -n "$argument" ]; then arguments+=("$argument"); fi
done <<<"${GATE_ARGS:-}"
# What stands after -- is no option, whatever it begins with.
if [ -n "${GATE_TARGET:-}" ]; then arguments+=(-- "$GATE_TARGET"); fi

# A release's program where the action is used at that release, or where one is asked for; else the sources that the action came with.
own=v$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
if [ -n "${GATE_VERSION:-}" ]; then
  export DNODE_CONFORM_VERSION=$GATE_VERSION
elif [ "${GATE_REF:-}" = "$own" ]; then
  export DNODE_CONFORM_VERSION=$own
else
  export DNODE_CONFORM_SOURCE=$root
fi
exec sh "$root/fixtures/ci/conform.sh" "${arguments[@]}"
