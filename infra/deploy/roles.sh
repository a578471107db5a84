#!/bin/sh
# Makes the roles of Navbat in the postgres service of docker-compose.yml. The image runs it for a new volume; for one of an older
# version: docker compose exec postgres sh /docker-entrypoint-initdb.d/roles.sh
set -eu
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv owner POSTGRES_OWNER_PASSWORD
\getenv app POSTGRES_APP_PASSWORD
select set_config('navbat.owner_password', :'owner', false) as owner, set_config('navbat.app_password', :'app', false) as app \gset
\i /navbat/roles.sql
SQL
