package main

import (
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// newCredential returns the identity of this process, one for broker and
// vault: workload identity, managed identity, environment, or a developer's
// sign-in, as azidentity finds it. It asks for nothing yet.
func newCredential() (azcore.TokenCredential, error) {
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("azure identity: %w", err)
	}
	return credential, nil
}
