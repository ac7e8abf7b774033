# Issues the functions' own client certificates.
path "pki/issue/function" { capabilities = ["create", "update"] }
