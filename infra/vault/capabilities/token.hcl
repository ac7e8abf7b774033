# Every function: look at its own token, nothing else of Vault's own.
path "auth/token/lookup-self" { capabilities = ["read"] }
