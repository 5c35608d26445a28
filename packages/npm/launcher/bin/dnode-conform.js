#!/usr/bin/env node
// Runs the program in the package for this platform. Arguments, standard streams, signals and the exit status are the program's.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const { version, optionalDependencies } = require("../package.json");

/** The exit status of the program if it knows nothing about the peer. */
const COULD_NOT_RUN = 2;

function giveUp(...lines) {
  for (const line of lines) console.error(`dnode-conform: ${line}`);
  process.exit(COULD_NOT_RUN);
}

/** The path of the program for this platform. */
function program() {
  const name = `@dnode-conform/${process.platform}-${process.arch}`;
  try {
    return require.resolve(`${name}/dnode-conform`);
  } catch {
    if (name in optionalDependencies) {
      giveUp(`${name} is not installed; npm leaves it out with --omit=optional`, `install it with: npm install ${name}@${version}`);
    }
    const names = Object.keys(optionalDependencies).map((known) => known.split("/")[1]);
    giveUp(`there is no package for ${process.platform}-${process.arch}, only for ${names.join(", ")}`, "build the program with: cargo install dnode-conform");
  }
}

/** Ends as the program ended. */
function end(status, signal) {
  if (signal === null) process.exit(status);
  process.removeAllListeners(signal);
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}

const path = program();
let child;
// We must outlive the program, or its exit status is lost. A Ctrl-C reaches both of us, so the program gets it twice. It counts signals
// within a fifth of a second as one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(signal, () => child.kill(signal));
// The program prints commands to copy. They begin with its name, which is then that of this file.
child = spawn(path, process.argv.slice(2), { argv0: process.argv[1], stdio: "inherit" });
child.on("error", (error) => giveUp(`${path} cannot be started: ${error.message}`));
child.on("exit", end);
