# Reads and lists everything and changes nothing: for who inspects a stack.
path "*" { capabilities = ["read", "list", "sudo"] }
path "auth/token/renew-self" { capabilities = ["update"] }
