# Tells the versions of the tenants' keys and the public halves of the one that signs the log; moves nothing, opens nothing.
path "transit/keys/tenant-*"         { capabilities = ["read"] }
path "transit/keys/platform"         { capabilities = ["read"] }
path "transit/keys/audit-checkpoint" { capabilities = ["read"] }
