#!/usr/bin/env bash
# Makes the files of a release; .github/workflows/release.yml runs it.
#
#   .github/release.sh pack TARGET [PROGRAM]   builds the program for a platform, tries it, and packs it into dist/; PROGRAM skips the build
#   .github/release.sh publish                 writes dist/SHA256SUMS and publishes dist/ as a release with gh, at the tag in GITHUB_REF_NAME
#
# Without GITHUB_REF_NAME, `pack` uses the version in Cargo.toml. fixtures/ci/conform.sh expects these names of archives.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dist=${DIST:-dist}
own=v$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
tag=${GITHUB_REF_NAME:-$own}
if [ "$tag" != "$own" ]; then
  echo "the tag is $tag, and Cargo.toml says $own" >&2
  exit 1
fi

pack() {
  local target=$1 program=${2:-}
  if [ -z "$program" ]; then
    rustup target add "$target"
    cargo build --release --locked -p dnode-conform --target "$target"
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

publish() {
  (cd "$dist" && sha256sum -- *.tar.gz >SHA256SUMS)
  gh release create "$tag" --verify-tag --title "$tag" --generate-notes "$dist"/*.tar.gz "$dist/SHA256SUMS"
}

case ${1:-} in
  pack | publish) "$@" ;;
  *) sed -n 's/^#   //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
