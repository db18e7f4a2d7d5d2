package jobfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// job is a whole job document in three lines.
func job(id string) string {
	return `{"schema":"signmill.job/v1","id":"` + id + `",` + "\n" +
		`"operation":"sign","key":"k","algorithm":"ES256",` + "\n" +
		`"items":[{"id":"1","digest":"LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"}]}` + "\n"
}

// TestFaults names the job and the line, of a file that is opened and of a pipe
// that is read up to there.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, want string
		jobs             int
	}{
		{"none", job("a") + job("b"), "", 2},
		{"nothing", "", "", 0},
		{"syntax", job("a") + "\n" + strings.Replace(job("b"), `"operation"`, `operation`, 1), "job 2, line 6: ", 1},
		{"contract", job("a") + "\n" + strings.Replace(job("b"), "ES256", "ES255", 1), "job 2, line 5: ", 1},
		{"cut off", job("a") + `{"schema":` + "\n", "job 2, line 4: ", 1},
		{"the same id", job("a") + job("b") + job("a"), "job 3, line 7: it has the id of job 1", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "jobs.json")
			if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			whole, err := Open(name, nil)
			if got := fault(err, tt.want); got != "" {
				t.Errorf("file: %s", got)
			}
			if err == nil {
				defer whole.Close()
			}
			pipe, err := Open("-", strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			jobs := 0
			for next := range pipe.Trickle(t.Context()) {
				if err = next.Fault; err == nil {
					jobs++
				}
			}
			if got := fault(err, tt.want); got != "" || jobs != tt.jobs {
				t.Errorf("pipe: %d jobs, want %d; %s", jobs, tt.jobs, got)
			}
		})
	}
}

// fault says how an error differs from one that has want in it; "" is no error.
func fault(err error, want string) string {
	switch {
	case err == nil && want != "":
		return "no fault, want " + want
	case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
		return "got " + err.Error() + ", want " + want
	}
	return ""
}
