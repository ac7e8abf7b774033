# Opens the private halves that sign tokens; makes none.
path "transit/decrypt/signing" { capabilities = ["create", "update"] }
