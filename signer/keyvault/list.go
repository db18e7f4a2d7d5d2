package keyvault

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// maxPage bounds a page of a list: 25 keys with 15 tags each of 512
// characters, in JSON that escapes some of them.
const maxPage = 1 << 20

// List yields the keys of the vault, without versions, in the vault's order.
// It asks for a page when the one before is used up. After an error it ends;
// to list again, range over it again. It needs the permission keys/list.
func (v *Vault) List(ctx context.Context) iter.Seq2[KeyInfo, error] {
	return func(yield func(KeyInfo, error) bool) {
		open := func() *runtime.Pager[azkeys.ListKeyPropertiesResponse] { return v.sdk.NewListKeyPropertiesPager(nil) }
		walk(ctx, v, keyID{vault: v.at}, open, func(p azkeys.ListKeyPropertiesResponse) ([]KeyInfo, *string, error) {
			keys, err := v.entries(p.Value)
			return keys, p.NextLink, err
		}, yield)
	}
}

// Versions yields the versions of a key, disabled ones included, in the
// vault's order. It is otherwise like [Vault.List].
func (v *Vault) Versions(ctx context.Context, name string) iter.Seq2[KeyInfo, error] {
	return func(yield func(KeyInfo, error) bool) {
		id, err := v.key(name, "")
		if err != nil {
			yield(KeyInfo{}, err)
			return
		}
		open := func() *runtime.Pager[azkeys.ListKeyPropertiesVersionsResponse] {
			return v.sdk.NewListKeyPropertiesVersionsPager(id.name, nil)
		}
		walk(ctx, v, id, open, func(p azkeys.ListKeyPropertiesVersionsResponse) ([]KeyInfo, *string, error) {
			keys, err := v.entries(p.Value)
			return keys, p.NextLink, err
		}, yield)
	}
}

// Deleted yields the keys that are deleted and can be recovered. It is
// otherwise like [Vault.List].
func (v *Vault) Deleted(ctx context.Context) iter.Seq2[KeyInfo, error] {
	return func(yield func(KeyInfo, error) bool) {
		open := func() *runtime.Pager[azkeys.ListDeletedKeyPropertiesResponse] {
			return v.sdk.NewListDeletedKeyPropertiesPager(nil)
		}
		walk(ctx, v, keyID{vault: v.at}, open, func(p azkeys.ListDeletedKeyPropertiesResponse) ([]KeyInfo, *string, error) {
			keys := make([]KeyInfo, 0, len(p.Value))
			for _, e := range p.Value {
				info, err := v.listed(e.KID, e.Attributes, e.Tags, e.Managed)
				if err != nil {
					return nil, nil, err
				}
				info.Deletion = deletion(e.RecoveryID, e.DeletedDate, e.ScheduledPurgeDate)
				keys = append(keys, info)
			}
			return keys, p.NextLink, nil
		}, yield)
	}
}

func (v *Vault) entries(page []*azkeys.KeyProperties) ([]KeyInfo, error) {
	keys := make([]KeyInfo, 0, len(page))
	for _, e := range page {
		info, err := v.listed(e.KID, e.Attributes, e.Tags, e.Managed)
		if err != nil {
			return nil, err
		}
		keys = append(keys, info)
	}
	return keys, nil
}

// walk yields the entries of all pages. Each page is a task of its own. The
// link to the next page must stay in the vault, because a token follows it.
func walk[P any](ctx context.Context, v *Vault, id keyID, open func() *runtime.Pager[P], read func(P) ([]KeyInfo, *string, error), yield func(KeyInfo, error) bool) {
	ctx = withAnswerUpTo(ctx, maxPage)
	for link, more := "", true; more; more = link != "" {
		var keys []KeyInfo
		err := v.ask(ctx, "list", id, func(ctx context.Context) error {
			page, err := pageAt(ctx, open(), link)
			if err != nil {
				return err
			}
			entries, next, err := read(page)
			if err == nil {
				err = v.stays(id, value(next))
			}
			if err == nil {
				keys, link = entries, value(next)
			}
			return err
		})
		if err != nil {
			yield(KeyInfo{}, err)
			return
		}
		for _, k := range keys {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// pageAt asks for the page that a link leads to, the first when it is empty.
// A pager that has failed once never asks again, so each attempt has its own;
// to put one at a page, it takes the page before from JSON, and shows it.
func pageAt[P any](ctx context.Context, pager *runtime.Pager[P], link string) (page P, err error) {
	if link != "" {
		before, err := json.Marshal(map[string]string{"nextLink": link})
		if err == nil {
			err = pager.UnmarshalJSON(before)
		}
		if err == nil {
			_, err = pager.NextPage(ctx)
		}
		if err != nil {
			return page, err
		}
	}
	return pager.NextPage(ctx)
}
