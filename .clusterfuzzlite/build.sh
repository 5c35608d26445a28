#!/usr/bin/env bash
# Builds the fuzz targets for ClusterFuzzLite (and OSS-Fuzz). For each TARGET, $OUT then has the files that the engine reads:
# TARGET, TARGET_seed_corpus.zip, TARGET.options, and TARGET.dict if the target reads a stream.
#
# The image sets OUT, SRC, WORK, SANITIZER and RUSTFLAGS, and has nightly Rust, cargo-fuzz and zip. It runs this script as `bash -eux`. With
# the same variables the script also runs outside the image: fuzz/README.md has the command.
#
# Deliberately absent: `baseline`, which checks nothing.
set -euo pipefail
cd "$SRC/dnode-conform"

host=$(rustc -vV | sed -n 's/^host: //p')
built=$WORK/target
# Link-time optimization triples the build time and makes no target faster.
export CARGO_PROFILE_RELEASE_LTO=off
# The engine names functions in its reports.
export CARGO_PROFILE_RELEASE_STRIP=none
features=(--features engine)
if [ "$SANITIZER" = coverage ]; then
  # The image's cargo turns `cargo fuzz build` into a plain build without features, so this calls cargo directly. Reports need the paths of
  # the sources in the image.
  for crate in spec reports harness/capture fuzz; do RUSTFLAGS+=" --remap-path-prefix $crate=$PWD/$crate"; done
  export RUSTFLAGS
  cargo build -p dnode-fuzz --bins "${features[@]}" --target-dir "$built"
  binaries=$built/debug
else
  cargo fuzz build -O --debug-assertions --sanitizer "$SANITIZER" "${features[@]}" --target-dir "$built"
  binaries=$built/$host/release
fi

# Zips the files beneath $2 without their folders, because the engine reads a flat corpus. A hash of its content names each file.
zip_seeds() {
  local flat=$WORK/seeds/$1
  rm -rf "$flat" "$OUT/$1_seed_corpus.zip"
  mkdir -p "$flat"
  # The documents beside the transcripts are not inputs.
  find -L "${@:2}" -type f ! -name "*.md" | while read -r seed; do
    cp "$seed" "$flat/$(sha256sum "$seed" | cut -c1-32)"
  done
  (cd "$flat" && zip -qr "$OUT/$1_seed_corpus.zip" .)
}

for options in fuzz/options/*.options; do
  target=$(basename "$options" .options)
  regressions=(fuzz/regressions/"$target"/)
  [ -d "${regressions[0]}" ] || regressions=()
  cp "$binaries/$target" "$options" "$OUT/"
  zip_seeds "$target" "fuzz/seeds/$target/" "${regressions[@]}"
  # The options of a target that reads a stream name the dictionary.
  if grep -q '^dict' "$options"; then cp fuzz/dictionary/dnode.dict "$OUT/$target.dict"; fi
done
