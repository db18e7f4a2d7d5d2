package schema

import "testing"

// TestFromData tells what the worker has hashed from what was a digest before.
func TestFromData(t *testing.T) {
	t.Parallel()
	const doc = `{"schema":"signmill.job/v1","id":"1","operation":"sign","key":"k","algorithm":"ES256","items":[
		{"id":"seen","data":"YQ"},
		{"id":"unseen","digest":"LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"}]}`
	job, err := Decode([]byte(doc), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		if got := job.Items[i].FromData; got != want {
			t.Errorf("item %s: got %v, want %v", job.Items[i].ID, got, want)
		}
	}
}
