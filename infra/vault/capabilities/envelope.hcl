# Seals and opens records under the tenants' keys and the platform's; the keys themselves never leave.
path "transit/datakey/plaintext/tenant-*" { capabilities = ["create", "update"] }
path "transit/decrypt/tenant-*"           { capabilities = ["create", "update"] }
path "transit/datakey/plaintext/platform" { capabilities = ["create", "update"] }
path "transit/decrypt/platform"           { capabilities = ["create", "update"] }
