# Seals under the tenants' keys and opens nothing: for events of a job that must not read what it moves.
path "transit/datakey/plaintext/tenant-*" { capabilities = ["create", "update"] }
