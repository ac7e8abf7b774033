# Tells the versions of a key and adds one; makes no key, retires and destroys no version.
path "transit/keys/tenant-*" {
  capabilities = ["read", "update"]
  allowed_parameters = {
    "auto_rotate_period" = []
  }
}
path "transit/keys/platform"        { capabilities = ["read"] }
path "transit/keys/platform/rotate" { capabilities = ["update"] }
