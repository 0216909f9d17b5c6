#!/bin/bash
# MLflow's server with users, from environment variables; further arguments are passed on.
set -euo pipefail
: "${MLFLOW_BACKEND_STORE_URI:?address of the database of runs}"
: "${MLFLOW_AUTH_DATABASE_URI:?address of the database of users}"
: "${MLFLOW_ARTIFACTS_DESTINATION:?s3://BUCKET/PREFIX}"
: "${MLFLOW_ADMIN_USERNAME:?name of the first user}"
: "${MLFLOW_ADMIN_PASSWORD:?password of the first user, at least 12 characters}"
: "${MLFLOW_FLASK_SERVER_SECRET_KEY:?a random text, which signs cookies}"
if [ "${#MLFLOW_ADMIN_PASSWORD}" -lt 12 ]; then
  echo "error: MLFLOW_ADMIN_PASSWORD: fewer than 12 characters" >&2
  exit 64
fi
umask 077
folder=$(mktemp -d)
export MLFLOW_AUTH_CONFIG_PATH="$folder/basic_auth.ini"
# The file is read by configparser, to which % begins a reference.
cat >"$MLFLOW_AUTH_CONFIG_PATH" <<INI
[mlflow]
default_permission = ${MLFLOW_DEFAULT_PERMISSION:-READ}
database_uri = ${MLFLOW_AUTH_DATABASE_URI//%/%%}
admin_username = ${MLFLOW_ADMIN_USERNAME//%/%%}
admin_password = ${MLFLOW_ADMIN_PASSWORD//%/%%}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
INI
# Eight processes for jobs that graft does not use would each import MLflow.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION="${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}"
# The password stays in the file: no other process of the server needs the variable.
unset MLFLOW_ADMIN_PASSWORD
exec mlflow server --app-name basic-auth --host "${MLFLOW_HOST:-0.0.0.0}" \
  --port "${MLFLOW_PORT:-5000}" --workers "${MLFLOW_WORKERS:-1}" "$@"
