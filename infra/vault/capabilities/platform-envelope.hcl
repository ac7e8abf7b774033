# Seals and opens the platform's own records, and no tenant's.
path "transit/datakey/plaintext/platform" { capabilities = ["create", "update"] }
path "transit/decrypt/platform"           { capabilities = ["create", "update"] }
