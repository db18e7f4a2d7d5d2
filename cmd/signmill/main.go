// Command signmill signs in bulk with keys that never leave Azure Key Vault.
package main

func main() {}
