-- Users and their permissions are not in the database of runs.
CREATE DATABASE mlflow_auth;
