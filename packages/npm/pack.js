#!/usr/bin/env node
// Makes the npm packages from built programs: one for each program, and the launcher that depends on them.
//
//   node packages/npm/pack.js OUT TARGET=PROGRAM…
//
// For each package, OUT gets a file that `npm install` and `npm publish` read. TARGET is the platform of a program, in Rust's words.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/** The platforms of a release. A program for musl is static, so it runs with any libc. */
const PLATFORMS = {
  "x86_64-unknown-linux-musl": { os: "linux", cpu: "x64" },
  "aarch64-unknown-linux-musl": { os: "linux", cpu: "arm64" },
  "x86_64-apple-darwin": { os: "darwin", cpu: "x64" },
  "aarch64-apple-darwin": { os: "darwin", cpu: "arm64" },
};

/** Those of programs that only tests pack. */
const LOCAL = {
  "x86_64-unknown-linux-gnu": { os: "linux", cpu: "x64", libc: "glibc" },
  "aarch64-unknown-linux-gnu": { os: "linux", cpu: "arm64", libc: "glibc" },
};

const ROOT = path.join(__dirname, "../..");
const VERSION = /^version = "(.*)"$/m.exec(fs.readFileSync(path.join(ROOT, "Cargo.toml"), "utf8"))[1];

const nameOf = (platform) => `@dnode-conform/${platform.os}-${platform.cpu}`;

/** Writes the file of the package that has the files of `template`, changed by `edit`, to `out`. */
function pack(template, out, edit) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "dnode-conform-npm-"));
  try {
    fs.cpSync(path.join(__dirname, template), folder, { recursive: true });
    for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) fs.copyFileSync(path.join(ROOT, licence), path.join(folder, licence));
    const manifest = path.join(folder, "package.json");
    const content = { ...JSON.parse(fs.readFileSync(manifest, "utf8")), version: VERSION };
    fs.writeFileSync(manifest, JSON.stringify(edit(content, folder), null, 2) + "\n");
    execFileSync("npm", ["pack", "--silent", "--pack-destination", out], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function packProgram(out, target, program) {
  const platform = PLATFORMS[target] ?? LOCAL[target];
  if (platform === undefined) throw new Error(`there is no package for ${target}, only for ${Object.keys({ ...PLATFORMS, ...LOCAL }).join(", ")}`);
  pack("platform", out, (content, folder) => {
    fs.copyFileSync(program, path.join(folder, "dnode-conform"));
    fs.chmodSync(path.join(folder, "dnode-conform"), 0o755);
    const description = content.description.replace("PLATFORM", `${platform.os} on ${platform.cpu}`);
    const conditions = Object.fromEntries(Object.entries(platform).map(([condition, value]) => [condition, [value]]));
    return { ...content, name: nameOf(platform), description, ...conditions };
  });
}

function packLauncher(out) {
  const names = Object.values(PLATFORMS).map(nameOf);
  pack("launcher", out, (content) => ({ ...content, optionalDependencies: Object.fromEntries(names.map((name) => [name, VERSION])) }));
}

const [out, ...programs] = process.argv.slice(2);
if (out === undefined || programs.length === 0 || !programs.every((word) => word.includes("="))) {
  console.error("usage: node packages/npm/pack.js OUT TARGET=PROGRAM…");
  process.exit(2);
}
fs.mkdirSync(out, { recursive: true });
for (const word of programs) {
  const [target, program] = [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)];
  packProgram(path.resolve(out), target, program);
}
packLauncher(path.resolve(out));
