# Seals and opens the private halves that sign tokens; nothing else is under this key.
path "transit/datakey/plaintext/signing" { capabilities = ["create", "update"] }
path "transit/decrypt/signing"           { capabilities = ["create", "update"] }
