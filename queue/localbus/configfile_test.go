package localbus_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/localbus"
)

const emulatorFile = "\ufeff" + `{
  // one namespace
  "UserConfig": {
    "Namespaces": [
      {
        "Name": "sbemulatorns", /* its
        only name */
        "Queues": [
          {
            "Name": "jobs", // "quoted"
            "Properties": {
              "DeadLetteringOnMessageExpiration": true,
              "DefaultMessageTimeToLive": "PT30M",
              "DuplicateDetectionHistoryTimeWindow": "PT1M",
              "ForwardDeadLetteredMessagesTo": "",
              "ForwardTo": "",
              "LockDuration": "PT30S",
              "MaxDeliveryCount": 5,
              "RequiresDuplicateDetection": true,
              "RequiresSession": true
            }
          },
          { "Name": "re//plies" }
        ],
        "Topics": [{ "Name": "news", "Properties": {}, "Subscriptions": [] }]
      }
    ],
    "Logging": { "Type": "File" }
  }
}`

func TestReadConfig(t *testing.T) {
	t.Parallel()
	c, warnings, err := localbus.ReadConfig(strings.NewReader(emulatorFile))
	if err != nil {
		t.Fatal(err)
	}
	want := []localbus.Queue{
		{Name: "jobs", QueueProperties: localbus.QueueProperties{
			DeadLetterOnExpiration: true, DefaultTimeToLive: 30 * time.Minute, DuplicateDetectionWindow: time.Minute,
			LockDuration: 30 * time.Second, MaxDeliveryCount: 5, RequiresDuplicateDetect: true, RequiresSession: true,
		}},
		{Name: "re//plies", QueueProperties: localbus.QueueProperties{
			DefaultTimeToLive: time.Hour, DuplicateDetectionWindow: 20 * time.Second, LockDuration: time.Minute, MaxDeliveryCount: 3,
		}},
	}
	if !reflect.DeepEqual(c.Queues, want) {
		t.Errorf("got %+v, want %+v", c.Queues, want)
	}
	if len(warnings) != 1 || warnings[0] != `UserConfig.Namespaces[0].Topics[0]: topic "news" is left out: there are only queues here` {
		t.Errorf("got warnings %q", warnings)
	}
	newServer(t, c)
}

// inQueue puts properties into a file.
func inQueue(properties string) string {
	return `{"UserConfig":{"Namespaces":[{"Queues":[{"Name":"a","Properties":{` + properties + `}}]}]}}`
}

func TestReadConfigWarns(t *testing.T) {
	t.Parallel()
	const at = "UserConfig.Namespaces[0].Queues[0].Properties."
	tests := map[string]string{
		inQueue(`"DefaultMessageTimeToLive":"P7D"`):                     at + "DefaultMessageTimeToLive is P7D: the emulator takes PT5M to PT1H",
		inQueue(`"DuplicateDetectionHistoryTimeWindow":"PT10M"`):        at + "DuplicateDetectionHistoryTimeWindow is PT10M: the emulator takes PT5S to PT5M",
		inQueue(`"LockDuration":"PT1S"`):                                at + "LockDuration is PT1S: the emulator takes PT5S to PT5M",
		inQueue(`"MaxDeliveryCount":11`):                                at + "MaxDeliveryCount is 11: the emulator takes 1 to 10",
		`{"UserConfig":{"Namespaces":[{"Name":"mine"}]}}`:               `UserConfig.Namespaces[0].Name is "mine": the emulator takes sbemulatorns only`,
		`{"UserConfig":{"Logging":{"Type":"Printer"}}}`:                 `UserConfig.Logging.Type is "Printer": the emulator takes File and Console`,
		`{"UserConfig":{"Namespaces":[{"Queues":[` + fiftyOne + `]}]}}`: "UserConfig.Namespaces[0].Queues has 51 queues: the emulator takes 50",
	}
	for text, want := range tests {
		_, warnings, err := localbus.ReadConfig(strings.NewReader(text))
		if err != nil || !slices.Equal(warnings, []string{want}) {
			t.Errorf("%s: got %q, error %v, want %s", text, warnings, err, want)
		}
	}
}

var fiftyOne = strings.Repeat(`{"Name":"a"},`, 50) + `{"Name":"a"}`

func TestReadConfigNamesThePlaceOfFaults(t *testing.T) {
	t.Parallel()
	const at = "UserConfig.Namespaces[0].Queues[0]"
	tests := map[string]string{
		"":                                       "configuration file: unexpected end of JSON input",
		"[]":                                     "the file has to hold an object with the key UserConfig",
		"{}":                                     "UserConfig is missing",
		`{"Userconfig":{}}`:                      "UserConfig is missing\nUserconfig is not a known key",
		`{"UserConfig":[]}`:                      "UserConfig has the wrong type: want an object",
		`{"UserConfig":{"Logging":{"Level":1}}}`: "UserConfig.Logging.Level is not a known key",
		`{"UserConfig":{"Namespaces":[{},{}]}}`:  "UserConfig.Namespaces[1]: there can be only one namespace",
		`{"UserConfig":{"Namespaces":[1]}}`:      "UserConfig.Namespaces[0] has the wrong type: want an object",
		`{"UserConfig":{"Namespaces":[{"Queues":[{"Props":1}]}]}}`: at + ".Name is missing\n" + at + ".Props is not a known key",
		inQueue(`"LockDuraton":"PT1M","b":1`):                      at + ".Properties.LockDuraton is not a known key\n" + at + ".Properties.b is not a known key",
		inQueue(`"LockDuration":60`):                               at + ".Properties.LockDuration has the wrong type: want a string",
		inQueue(`"LockDuration":"60"`):                             at + `.Properties.LockDuration: duration "60": has to be like P1DT2H3M4.5S`,
		inQueue(`"LockDuration":"PT0S"`):                           at + ".Properties.LockDuration is PT0S: want a positive duration",
		inQueue(`"MaxDeliveryCount":1.5`):                          at + ".Properties.MaxDeliveryCount is 1.5: want a whole number from 1",
		inQueue(`"MaxDeliveryCount":0`):                            at + ".Properties.MaxDeliveryCount is 0: want a whole number from 1",
		inQueue(`"MaxDeliveryCount":1e300`):                        at + ".Properties.MaxDeliveryCount is 1e+300: want a whole number from 1",
		inQueue(`"RequiresSession":"true"`):                        at + ".Properties.RequiresSession has the wrong type: want true or false",
		strings.Repeat(" ", 1<<20+1):                               "configuration file has more than 1048576 bytes",
	}
	for text, want := range tests {
		_, _, err := localbus.ReadConfig(strings.NewReader(text))
		if err == nil || err.Error() != want {
			t.Errorf("%.80s: got %v, want %s", text, err, want)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add(emulatorFile)
	f.Add(`{"a":"\"//" /* * / */ } // x`)
	f.Fuzz(func(t *testing.T, text string) {
		c, _, err := localbus.ReadConfig(strings.NewReader(text))
		if err == nil && len(c.Queues) > 0 && !strings.Contains(text, "Queues") {
			// A key may be written with escapes, but then there is a backslash.
			if !strings.Contains(text, `\u`) {
				t.Errorf("queues %+v out of nowhere", c.Queues)
			}
		}
	})
}
