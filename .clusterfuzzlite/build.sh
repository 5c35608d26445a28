#!/usr/bin/env bash
# Builds the fuzz targets as ClusterFuzzLite (and OSS-Fuzz) runs them, and puts into $OUT of each TARGET what the engine looks for:
# TARGET, TARGET_seed_corpus.zip, TARGET.dict where it reads a stream, TARGET.options.
#
# The image sets OUT, SRC, WORK, SANITIZER and RUSTFLAGS, and has nightly Rust, cargo-fuzz and zip. It runs this as `bash -eux`. With the same
# variables it runs without the image: fuzz/README.md has the command.
#
# Deliberately absent: `baseline`, which checks nothing.
set -euo pipefail
cd "$SRC/dnode-conform"

host=$(rustc -vV | sed -n 's/^host: //p')
built=$WORK/target
# It makes the build three times as long and no target faster.
export CARGO_PROFILE_RELEASE_LTO=off
features=(--features engine)
if [ "$SANITIZER" = coverage ]; then
  # The image's cargo makes a plain build of `cargo fuzz build` here, without features, so that is asked for directly. Reports need the paths of
  # the sources as they are in the image.
  for crate in spec reports fuzz; do RUSTFLAGS+=" --remap-path-prefix $crate=$PWD/$crate"; done
  export RUSTFLAGS
  cargo build -p dnode-fuzz --bins "${features[@]}" --target-dir "$built"
  binaries=$built/debug
else
  cargo fuzz build -O --debug-assertions --sanitizer "$SANITIZER" "${features[@]}" --target-dir "$built"
  binaries=$built/$host/release
fi

# The files below $2, without their folders: the engine wants a flat corpus, and a name that says what is in it tells nobody's from another's.
zip_seeds() {
  local flat=$WORK/seeds/$1
  rm -rf "$flat" "$OUT/$1_seed_corpus.zip"
  mkdir -p "$flat"
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
  # The options name the dictionary where the target reads a stream.
  if grep -q '^dict' "$options"; then cp fuzz/dictionary/dnode.dict "$OUT/$target.dict"; fi
done
