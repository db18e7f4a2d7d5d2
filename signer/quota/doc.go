// Package quota paces calls to a key vault so that the vault is never stormed.
package quota
