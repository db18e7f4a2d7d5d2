package keyvault

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
)

// The service gives at most 128 bytes for each call; Random asks for as many
// calls as it takes.
const (
	randomPiece = 128
	maxRandom   = 64 << 10
)

// Random returns n random bytes, 1 to 65,536, made by the hardware of a
// Managed HSM. It needs the permission rng.
func (v *Vault) Random(ctx context.Context, n int) (schema.Secret, error) {
	if n < 1 || n > maxRandom {
		return nil, invalid("random: %d bytes are not 1 to %d", n, maxRandom)
	}
	random := make(schema.Secret, 0, n)
	for len(random) < n {
		piece, err := v.randomPiece(ctx, min(n-len(random), randomPiece))
		if err != nil {
			return nil, err
		}
		random = append(random, piece...)
	}
	return random, nil
}

func (v *Vault) randomPiece(ctx context.Context, n int) (piece []byte, err error) {
	at := keyID{vault: v.at}
	err = v.ask(ctx, "get random bytes from", at, func(ctx context.Context) error {
		answer, err := v.sdk.GetRandomBytes(ctx, azkeys.GetRandomBytesParameters{Count: new(int32(n))}, nil)
		if err == nil && len(answer.Value) != n {
			err = v.wrong(at, fmt.Sprintf("%d random bytes were asked for and %d came", n, len(answer.Value)))
		}
		piece = answer.Value
		return err
	})
	return piece, err
}
