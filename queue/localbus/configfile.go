package localbus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/timespan"
)

const maxConfigFile = 1 << 20 // bytes

// ReadConfig reads a configuration file of the official Service Bus emulator:
// JSON with // and /* */ comments. What the file leaves out has the emulator's
// defaults: three deliveries, a life of one hour, 20 s of duplicate detection.
//
// Warnings tell what the emulator would not take, or what has no effect here,
// such as topics, with the place in the file. The error lists all faults; a key
// that is not known is one.
func ReadConfig(r io.Reader) (c Config, warnings []string, err error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConfigFile+1))
	if err != nil {
		return c, nil, fmt.Errorf("read configuration file: %w", err)
	}
	if len(text) > maxConfigFile {
		return c, nil, fmt.Errorf("configuration file has more than %d bytes", maxConfigFile)
	}
	var root any
	if err := json.Unmarshal(withoutComments(text), &root); err != nil {
		return c, nil, fmt.Errorf("configuration file: %w", err)
	}
	f := &configFile{}
	f.root(root)
	return Config{Queues: f.queues}, f.warnings, errors.Join(f.faults...)
}

// withoutComments blanks comments and a byte order mark.
func withoutComments(text []byte) []byte {
	text = bytes.Clone(bytes.TrimPrefix(text, []byte("\ufeff")))
	for i := 0; i < len(text); i++ {
		switch rest := text[i:]; {
		case text[i] == '"':
			i += stringLength(rest) - 1
		case bytes.HasPrefix(rest, []byte("//")):
			i += blank(rest, "\n") - 1
		case bytes.HasPrefix(rest, []byte("/*")):
			i += blank(rest, "*/") - 1
		}
	}
	return text
}

// stringLength returns the length of a JSON string with its quotes.
func stringLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// blank overwrites text up to and including end, except line breaks.
func blank(text []byte, end string) int {
	n := len(text)
	if i := bytes.Index(text[2:], []byte(end)); i >= 0 {
		n = 2 + i + len(end)
	}
	for i := range n {
		if text[i] != '\n' {
			text[i] = ' '
		}
	}
	return n
}

// configFile collects what a file says.
type configFile struct {
	queues   []Queue
	warnings []string
	faults   []error
}

func (f *configFile) warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

func (f *configFile) fault(format string, args ...any) {
	f.faults = append(f.faults, fmt.Errorf(format, args...))
}

// object is a JSON object; keys leave it as they are read.
type object struct {
	file *configFile
	path string
	keys map[string]any
}

// take removes a key and returns its value, the zero value if it is missing or
// of the wrong type.
func take[T any](o object, key string) (value T, ok bool) {
	v, ok := o.keys[key]
	if !ok {
		return value, false
	}
	delete(o.keys, key)
	if value, ok = v.(T); !ok {
		o.file.fault("%s has the wrong type: want %s", o.at(key), typeName(value))
	}
	return value, ok
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	}
	return "an object"
}

func (o object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// object removes a key whose value is an object.
func (o object) object(key string) object {
	keys, _ := take[map[string]any](o, key)
	return object{o.file, o.at(key), keys}
}

// list removes a key whose value is a list of objects and visits them.
func (o object) list(key string, visit func(object)) {
	values, _ := take[[]any](o, key)
	for i, v := range values {
		path := fmt.Sprintf("%s[%d]", o.at(key), i)
		keys, ok := v.(map[string]any)
		if !ok {
			o.file.fault("%s has the wrong type: want an object", path)
			continue
		}
		visit(object{o.file, path, keys})
	}
}

// done reports the keys that nobody has read.
func (o object) done() {
	for _, key := range slices.Sorted(maps.Keys(o.keys)) {
		o.file.fault("%s is not a known key", o.at(key))
	}
}

func (f *configFile) root(v any) {
	keys, ok := v.(map[string]any)
	if !ok {
		f.fault("the file has to hold an object with the key UserConfig")
		return
	}
	root := object{file: f, keys: keys}
	if _, ok := keys["UserConfig"]; !ok {
		f.fault("UserConfig is missing")
	}
	user := root.object("UserConfig")
	root.done()
	logging := user.object("Logging")
	if kind, ok := take[string](logging, "Type"); ok && !slices.Contains([]string{"File", "Console", "File,Console", "Console,File"}, kind) {
		f.warn("%s is %q: the emulator takes File and Console", logging.at("Type"), kind)
	}
	logging.done()
	n := 0
	user.list("Namespaces", func(o object) {
		if n++; n > 1 {
			f.fault("%s: there can be only one namespace", o.path)
		}
		f.namespace(o)
	})
	user.done()
}

func (f *configFile) namespace(o object) {
	if name, ok := take[string](o, "Name"); ok && name != namespaceName {
		f.warn("%s is %q: the emulator takes %s only", o.at("Name"), name, namespaceName)
	}
	o.list("Queues", f.queue)
	o.list("Topics", func(topic object) {
		name, _ := take[string](topic, "Name")
		f.warn("%s: topic %q is left out: there are only queues here", topic.path, name)
	})
	if len(f.queues) > 50 {
		f.warn("%s has %d queues: the emulator takes 50", o.at("Queues"), len(f.queues))
	}
	o.done()
}

func (f *configFile) queue(o object) {
	name, _ := take[string](o, "Name")
	if name == "" {
		f.fault("%s is missing", o.at("Name"))
	}
	p := o.object("Properties")
	o.done()
	q := Queue{Name: name}
	q.DeadLetterOnExpiration, _ = take[bool](p, "DeadLetteringOnMessageExpiration")
	q.RequiresDuplicateDetect, _ = take[bool](p, "RequiresDuplicateDetection")
	q.RequiresSession, _ = take[bool](p, "RequiresSession")
	q.ForwardTo, _ = take[string](p, "ForwardTo")
	q.ForwardDeadLettersTo, _ = take[string](p, "ForwardDeadLetteredMessagesTo")
	q.DefaultTimeToLive = p.duration("DefaultMessageTimeToLive", span{time.Hour, 5 * time.Minute, time.Hour})
	q.DuplicateDetectionWindow = p.duration("DuplicateDetectionHistoryTimeWindow", span{20 * time.Second, 5 * time.Second, 5 * time.Minute})
	q.LockDuration = p.duration("LockDuration", span{time.Minute, 5 * time.Second, 5 * time.Minute})
	q.MaxDeliveryCount = p.deliveries("MaxDeliveryCount")
	p.done()
	f.queues = append(f.queues, q)
}

// span is the emulator's default of a duration and its range.
type span struct{ otherwise, low, high time.Duration }

func (o object) duration(key string, s span) time.Duration {
	text, ok := take[string](o, key)
	if !ok {
		return s.otherwise
	}
	d, err := timespan.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		o.file.fault("%s: %w", o.at(key), err)
	case d == 0:
		o.file.fault("%s is %s: want a positive duration", o.at(key), text)
	case d < s.low || d > s.high:
		o.file.warn("%s is %s: the emulator takes %s to %s", o.at(key), text, timespan.Format(s.low), timespan.Format(s.high))
	}
	return d
}

func (o object) deliveries(key string) int {
	n, ok := take[float64](o, key)
	switch {
	case !ok:
		return 3
	case n != float64(int32(n)) || n < 1:
		o.file.fault("%s is %v: want a whole number from 1", o.at(key), n)
	case n > 10:
		o.file.warn("%s is %v: the emulator takes 1 to 10", o.at(key), n)
	}
	return int(n)
}
