# Signs the audit log's checkpoints and shows the public halves.
path "transit/sign/audit-checkpoint" { capabilities = ["create", "update"] }
path "transit/keys/audit-checkpoint" { capabilities = ["read"] }
