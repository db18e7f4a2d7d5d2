package servicebus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"github.com/signmill/signmill/queue"
)

// QueueInfo is how a queue is set up, and what it holds.
type QueueInfo struct {
	Status          string        // Active, Disabled, SendDisabled or ReceiveDisabled
	LockDuration    time.Duration // of a delivery
	MaxDeliveries   int           // after which the broker dead-letters
	Sessions        bool          // required
	Duplicates      bool          // detected
	DuplicateWindow time.Duration // for which they are remembered

	Active      int // messages that wait or are locked
	Scheduled   int
	DeadLetters int
}

// Inspect reads a queue through the management API, over HTTPS and not by Dial.
// That takes more rights than a worker has: without them the error wraps
// queue.ErrUnauthorized. A queue that does not exist is queue.ErrNotFound. It
// changes nothing, and repeats a failing call once; ctx bounds it.
func Inspect(ctx context.Context, c Config, name string) (QueueInfo, error) {
	info, err := inspect(ctx, c, name)
	if err != nil {
		return QueueInfo{}, managed(name, err)
	}
	return info, nil
}

func inspect(ctx context.Context, c Config, name string) (info QueueInfo, err error) {
	if err := c.check(); err != nil {
		return info, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: c.TLS.Clone(), TLSHandshakeTimeout: operationLimit}
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	defer transport.CloseIdleConnections()
	client, err := manager(c, &admin.ClientOptions{ClientOptions: azcore.ClientOptions{
		Retry:     policy.RetryOptions{MaxRetries: 1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "signmill"},
		Transport: &http.Client{Transport: transport},
	}})
	if err != nil {
		return info, err
	}
	set, err := client.GetQueue(ctx, name, nil)
	if err != nil {
		return info, err
	}
	holds, err := client.GetQueueRuntimeProperties(ctx, name, nil)
	if err != nil {
		return info, err
	}
	if set == nil || holds == nil {
		return info, errNoQueue
	}
	return readInfo(set.QueueProperties, holds.QueueRuntimeProperties)
}

// errNoQueue is the management API's empty answer in words.
var errNoQueue = errors.New("there is no such queue")

func manager(c Config, o *admin.ClientOptions) (*admin.Client, error) {
	if c.ConnectionString != "" {
		return admin.NewClientFromConnectionString(c.ConnectionString, o)
	}
	return admin.NewClient(c.Namespace, c.Credential, o)
}

// managed finds the kind of a failure of the management API.
func managed(name string, err error) error {
	kind := kindOf(err)
	if errors.Is(err, errNoQueue) {
		kind = queue.ErrNotFound
	}
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok {
		if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden {
			kind = queue.ErrUnauthorized
		}
		err = fmt.Errorf("the management API answered %d %s", answer.StatusCode, answer.ErrorCode)
	}
	return &queue.Error{Op: "inspect", Queue: name, Kind: kind, Err: err}
}

func readInfo(p admin.QueueProperties, r admin.QueueRuntimeProperties) (info QueueInfo, err error) {
	info = QueueInfo{
		Status:        string(valueOf(p.Status)),
		MaxDeliveries: int(valueOf(p.MaxDeliveryCount)),
		Sessions:      valueOf(p.RequiresSession),
		Duplicates:    valueOf(p.RequiresDuplicateDetection),
		Active:        int(r.ActiveMessageCount),
		Scheduled:     int(r.ScheduledMessageCount),
		DeadLetters:   int(r.DeadLetterMessageCount),
	}
	if info.LockDuration, err = readDuration(valueOf(p.LockDuration)); err != nil {
		return info, err
	}
	info.DuplicateWindow, err = readDuration(valueOf(p.DuplicateDetectionHistoryTimeWindow))
	return info, err
}

func valueOf[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// durationForm is the form that the management API gives to durations (ISO
// 8601), such as P1DT2H30M or PT20S.
var durationForm = regexp.MustCompile(`^P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})(?:\.\d+)?S)?)?$`)

// readDuration reads a duration of up to 99,999 days; "" is zero.
func readDuration(text string) (d time.Duration, err error) {
	if text == "" {
		return 0, nil
	}
	parts := durationForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("the management API answers with the duration %q", text)
	}
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(parts[i+1]) // digits, or nothing
		d += time.Duration(n) * unit
	}
	return d, nil
}
