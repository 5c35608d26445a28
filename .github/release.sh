#!/usr/bin/env bash
# Makes the files of a release; .github/workflows/release.yml runs it.
#
#   .github/release.sh pack TARGET [PROGRAM]   builds the program for a platform, tries it, and packs it into dist/; PROGRAM skips the build
#   .github/release.sh wheel TARGET            packs the program that `pack TARGET` built as a Python wheel into dist/
#   .github/release.sh sbom                    writes the list of all dependencies to dist/, in the format of CycloneDX
#   .github/release.sh publish                 writes dist/SHA256SUMS and publishes dist/ as a release with gh, at the tag in GITHUB_REF_NAME
#   .github/release.sh npm                     makes the npm packages from the archives in dist/, and publishes them
#   .github/release.sh crates                  publishes the crates
#
# Without GITHUB_REF_NAME, the version in Cargo.toml is the tag. fixtures/ci/conform.sh expects these names of archives.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dist=${DIST:-dist}
own=v$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
tag=${GITHUB_REF_NAME:-$own}
if [ "$tag" != "$own" ]; then
  echo "the tag is $tag, and Cargo.toml says $own" >&2
  exit 1
fi

# A larger program has kept its symbols, or has a new dependency that is worth a look.
limit=$((12 << 20))

build() {
  rustup target add "$1"
  cargo build --release --locked -p dnode-conform --target "$1"
  local size
  size=$(wc -c <"target/$1/release/dnode-conform")
  if [ "$size" -gt "$limit" ]; then
    echo "the program has $size bytes, and the limit in .github/release.sh is $limit" >&2
    exit 1
  fi
}

pack() {
  local target=$1 program=${2:-}
  if [ -z "$program" ]; then
    build "$target"
    program=target/$target/release/dnode-conform
  fi
  local name=dnode-conform-$tag-$target
  local folder=$dist/$name
  rm -rf "$folder"
  mkdir -p "$folder/man" "$folder/completions"
  cp "$program" LICENSE-APACHE LICENSE-MIT README.md "$folder/"
  "$folder/dnode-conform" --case 'methods/*'
  "$folder/dnode-conform" man --out "$folder/man"
  for shell in bash elvish fish zsh; do "$folder/dnode-conform" completions "$shell" >"$folder/completions/dnode-conform.$shell"; done
  tar -czf "$folder.tar.gz" -C "$dist" "$name"
  rm -rf "$folder"
}

wheel() {
  local maturin=$PWD/target/maturin
  [ -x "$maturin/bin/maturin" ] || python3 -m pip install --quiet --target "$maturin" maturin==1.16.0
  local out
  mkdir -p "$dist"
  out=$(cd "$dist" && pwd)
  # Only this folder has the settings of the wheel.
  cd packages/pypi
  PYTHONPATH=$maturin "$maturin/bin/maturin" build --release --locked --target "$1" --compatibility pypi manylinux_2_17 musllinux_1_1 --out "$out"
}

sbom() {
  local file=$dist/dnode-conform-$tag.cdx.json copy
  cargo install --quiet --locked --root target/cyclonedx cargo-cyclonedx@0.5.9
  mkdir -p "$dist"
  # cargo-cyclonedx writes a file for each crate beside it, and the path of the folder and the time into it.
  copy=$(mktemp -d)
  git archive HEAD | tar -xf - -C "$copy"
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) target/cyclonedx/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --target all --manifest-path "$copy/harness/Cargo.toml"
  sed "s|file://$copy/|file:///|g" "$copy/harness/dnode-conform.cdx.json" >"$file"
  rm -rf "$copy"
}

publish() {
  (cd "$dist" && sha256sum -- *.tar.gz *.cdx.json >SHA256SUMS)
  gh release create "$tag" --verify-tag --title "$tag" --generate-notes "$dist"/*.tar.gz "$dist"/*.cdx.json "$dist/SHA256SUMS"
}

npm_packages() {
  local archive target programs=() unpacked
  unpacked=$(mktemp -d)
  for archive in "$dist/dnode-conform-$tag"-*.tar.gz; do
    target=$(basename "${archive#"$dist/dnode-conform-$tag-"}" .tar.gz)
    tar -xzf "$archive" -C "$unpacked" "dnode-conform-$tag-$target/dnode-conform"
    programs+=("$target=$unpacked/dnode-conform-$tag-$target/dnode-conform")
  done
  rm -rf "$dist/npm"
  node packages/npm/pack.js "$dist/npm" "${programs[@]}"
  rm -rf "$unpacked"
  # The launcher last: it depends on the others.
  for package in "$dist"/npm/dnode-conform-[!0-9]*.tgz "$dist"/npm/dnode-conform-[0-9]*.tgz; do
    npm publish --access public "$(realpath "$package")"
  done
}

# Cargo publishes dependencies first. The packages are built and tested by .ci/package, so this job runs no code of a dependency.
crates() { cargo publish --workspace --locked --no-verify; }

case ${1:-} in
  pack | wheel | sbom | publish | crates) "$@" ;;
  npm) npm_packages ;;
  *) sed -n 's/^#   //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
