module github.com/signmill/signmill

go 1.26.0

require github.com/decred/dcrd/dcrec/secp256k1/v4 v4.4.1
