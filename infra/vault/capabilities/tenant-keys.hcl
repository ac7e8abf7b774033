# Makes a tenant's key, of the one kind that we use: never one that can be exported.
path "transit/keys/tenant-*" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"               = ["aes256-gcm96"]
    "derived"            = [true]
    "auto_rotate_period" = []
  }
}
