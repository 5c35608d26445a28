#!/usr/bin/env bash
# action.yml runs this. It turns the action's inputs into arguments of `dnode-conform run`, and writes the reports to a folder.
#
# Each input arrives as a variable and becomes one argument, so no shell interprets it. The only exception is the command in GATE_EXEC, which is the
# caller's own: the shell of `dnode-conform --exec` runs it.
#
# From the environment: GATE_* (the inputs, in action.yml), GATE_REF (the ref of the action), DNODE_CONFORM* (fixtures/ci/conform.sh).
# GitHub sets GITHUB_STEP_SUMMARY, GITHUB_OUTPUT and RUNNER_TEMP.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -z "${GATE_EXEC:-}${GATE_TARGET:-}" ]; then
  # Without either, the program would judge its own reference peer, which always passes.
  echo "::error title=dnode-conform::say with exec how to start your server, or with target where it listens"
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
# An argument after -- is never an option.
if [ -n "${GATE_TARGET:-}" ]; then arguments+=(-- "$GATE_TARGET"); fi

# Use the released program if the action is used at that release, or if `version` names one. Otherwise build the sources of the action.
own=v$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
if [ -n "${GATE_VERSION:-}" ]; then
  export DNODE_CONFORM_VERSION=$GATE_VERSION
elif [ "${GATE_REF:-}" = "$own" ]; then
  export DNODE_CONFORM_VERSION=$own
else
  export DNODE_CONFORM_SOURCE=$root
fi
exec sh "$root/fixtures/ci/conform.sh" "${arguments[@]}"
