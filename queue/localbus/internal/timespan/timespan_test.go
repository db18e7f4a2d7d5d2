package timespan

import (
	"testing"
	"time"
)

func TestParseAndFormat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want time.Duration
	}{
		{"PT0S", 0},
		{"PT45S", 45 * time.Second},
		{"PT10S", 10 * time.Second},
		{"PT1M", time.Minute},
		{"PT4H", 4 * time.Hour},
		{"P7D", 7 * 24 * time.Hour},
		{"P1DT2H3M4.5S", 26*time.Hour + 3*time.Minute + 4500*time.Millisecond},
		{"PT0.000000001S", 1},
		{Max, Unlimited},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tt.text)
			if err != nil || got != tt.want {
				t.Errorf("Parse: got %v, %v, want %v", got, err, tt.want)
			}
			if back := Format(got); back != tt.text {
				t.Errorf("Format: got %s", back)
			}
		})
	}
}

func TestParseIsLiberalInUnits(t *testing.T) {
	t.Parallel()
	tests := map[string]time.Duration{
		"PT90S":                    90 * time.Second,
		"P0DT1H":                   time.Hour,
		"PT1.1234567899S":          time.Second + 123456789,
		"P99999999999999999999D":   Unlimited,
		"P106751DT23H47M16.9S":     Unlimited,
		"PT9223372036854775807S":   Unlimited,
		"P106751DT23H47M16.854775": 0,
	}
	for text, want := range tests {
		got, err := Parse(text)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "P", "PT", "1M", "P1", "P1H", "PT1", "PT1D", "PT1S1M", "PT1M1M", "P1Y", "PT1.5M", "PT.5S", "PT1.S", "-PT1S", "PT-1S", "P1DT", "PT1S ", "00:01:00"} {
		if d, err := Parse(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("P1DT2H3M4.5S")
	f.Add(Max)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("negative: %d", d)
		}
		if again, err := Parse(Format(d)); err != nil || again != d {
			t.Errorf("%s became %v, %v, want %v", Format(d), again, err, d)
		}
	})
}
