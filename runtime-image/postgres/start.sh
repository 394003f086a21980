#!/bin/sh
# Starts Postgres on a fresh or used volume. Reads what the official image does: POSTGRES_USER, POSTGRES_PASSWORD or
# POSTGRES_PASSWORD_FILE, POSTGRES_DB, POSTGRES_INITDB_ARGS, and PGDATA, which is a folder inside the volume.
set -eu
umask 077

fail() {
  echo "start.sh: $*" >&2
  exit 1
}

read_password() {
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    [ -z "${POSTGRES_PASSWORD:-}" ] || fail "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set: give one of them"
    [ -r "$POSTGRES_PASSWORD_FILE" ] || fail "POSTGRES_PASSWORD_FILE: $POSTGRES_PASSWORD_FILE cannot be read"
    POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  fi
  [ -n "${POSTGRES_PASSWORD:-}" ] || fail "POSTGRES_PASSWORD is missing: a new database needs one for its superuser"
}

# In a folder beside PGDATA until it is whole: what a crash leaves half-made must not pass for a database.
create() {
  new=$PGDATA.new
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  rm -rf "$new"
  # shellcheck disable=SC2086 # arguments, split at spaces
  printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$new" --username="$user" --pwfile=/dev/stdin \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$new/postgresql.conf"
  if [ "$database" != postgres ]; then
    printf 'create database "%s"\n' "$(printf '%s' "$database" | sed 's/"/""/g')" |
      postgres --single -D "$new" -c exit_on_error=true postgres > /dev/null
  fi
  sync --file-system "$new"
  mkdir -p "$(dirname "$PGDATA")"
  mv -T "$new" "$PGDATA"
}

case ${1:-} in '' | -*) set -- postgres "$@" ;; esac
[ "$1" = postgres ] || exec "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  read_password
  create
fi
# A volume's fsGroup may have opened it to the group, which Postgres refuses.
chmod 700 "$PGDATA"
unset POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE
exec "$@"
