package admin

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/timespan"
)

// queueDescription is a queue in XML, in the order of the service's schema.
// A field that is nil was not sent.
type queueDescription struct {
	XMLName                             xml.Name      `xml:"QueueDescription"`
	Space                               string        `xml:"xmlns,attr"`
	Instance                            string        `xml:"xmlns:i,attr"`
	LockDuration                        *string       `xml:"LockDuration"`
	MaxSizeInMegabytes                  *int32        `xml:"MaxSizeInMegabytes"`
	RequiresDuplicateDetection          *bool         `xml:"RequiresDuplicateDetection"`
	RequiresSession                     *bool         `xml:"RequiresSession"`
	DefaultMessageTimeToLive            *string       `xml:"DefaultMessageTimeToLive"`
	DeadLetteringOnMessageExpiration    *bool         `xml:"DeadLetteringOnMessageExpiration"`
	DuplicateDetectionHistoryTimeWindow *string       `xml:"DuplicateDetectionHistoryTimeWindow"`
	MaxDeliveryCount                    *int32        `xml:"MaxDeliveryCount"`
	EnableBatchedOperations             *bool         `xml:"EnableBatchedOperations"`
	SizeInBytes                         *int64        `xml:"SizeInBytes"`
	MessageCount                        *int64        `xml:"MessageCount"`
	IsAnonymousAccessible               *bool         `xml:"IsAnonymousAccessible"`
	AuthorizationRules                  *ruleList     `xml:"AuthorizationRules"`
	Status                              *string       `xml:"Status"`
	ForwardTo                           *string       `xml:"ForwardTo"`
	UserMetadata                        *string       `xml:"UserMetadata"`
	CreatedAt                           *string       `xml:"CreatedAt"`
	UpdatedAt                           *string       `xml:"UpdatedAt"`
	AccessedAt                          *string       `xml:"AccessedAt"`
	SupportOrdering                     *bool         `xml:"SupportOrdering"`
	CountDetails                        *countDetails `xml:"CountDetails"`
	AutoDeleteOnIdle                    *string       `xml:"AutoDeleteOnIdle"`
	EnablePartitioning                  *bool         `xml:"EnablePartitioning"`
	EntityAvailabilityStatus            *string       `xml:"EntityAvailabilityStatus"`
	EnableExpress                       *bool         `xml:"EnableExpress"`
	ForwardDeadLetteredMessagesTo       *string       `xml:"ForwardDeadLetteredMessagesTo"`
	MaxMessageSizeInKilobytes           *int64        `xml:"MaxMessageSizeInKilobytes"`
}

// countDetails are the numbers of messages by state.
type countDetails struct {
	Space              string `xml:"xmlns:d2p1,attr"`
	Active             int    `xml:"d2p1:ActiveMessageCount"`
	DeadLetter         int    `xml:"d2p1:DeadLetterMessageCount"`
	Scheduled          int    `xml:"d2p1:ScheduledMessageCount"`
	Transfer           int    `xml:"d2p1:TransferMessageCount"`
	TransferDeadLetter int    `xml:"d2p1:TransferDeadLetterMessageCount"`
}

// statuses are the names of broker.Status.
var statuses = []string{
	broker.Active: "Active", broker.FullyDisabled: "Disabled",
	broker.SendDisabled: "SendDisabled", broker.ReceiveDisabled: "ReceiveDisabled",
}

// describeQueue writes a queue.
func describeQueue(d broker.Description) *queueDescription {
	return &queueDescription{
		Space: serviceSpace, Instance: instanceSpace,
		LockDuration:                        new(timespan.Format(d.LockDuration)),
		MaxSizeInMegabytes:                  new(int32(d.MaxSizeMegabytes)),
		RequiresDuplicateDetection:          &d.RequiresDuplicateDetect,
		RequiresSession:                     &d.RequiresSession,
		DefaultMessageTimeToLive:            foreverOr(d.DefaultTimeToLive),
		DeadLetteringOnMessageExpiration:    &d.DeadLetterOnExpiration,
		DuplicateDetectionHistoryTimeWindow: new(timespan.Format(d.DuplicateDetectionWindow)),
		MaxDeliveryCount:                    new(int32(d.MaxDeliveryCount)),
		EnableBatchedOperations:             &d.EnableBatchedOperations,
		SizeInBytes:                         &d.SizeBytes,
		MessageCount:                        new(int64(d.Total)),
		IsAnonymousAccessible:               &d.AnonymousAccessible,
		AuthorizationRules:                  rulesOf(d.Properties),
		Status:                              &statuses[d.Status],
		ForwardTo:                           textOrNil(d.ForwardTo),
		UserMetadata:                        textOrNil(d.UserMetadata),
		CreatedAt:                           new(timeText(d.CreatedAt)),
		UpdatedAt:                           new(timeText(d.UpdatedAt)),
		AccessedAt:                          new(timeText(d.AccessedAt)),
		SupportOrdering:                     &d.SupportOrdering,
		CountDetails: &countDetails{
			countSpace, d.Active, d.DeadLetter, d.Scheduled, d.Transfer, d.TransferDeadLetter,
		},
		AutoDeleteOnIdle:              foreverOr(d.AutoDeleteOnIdle),
		EnablePartitioning:            &d.EnablePartitioning,
		EntityAvailabilityStatus:      new("Available"),
		EnableExpress:                 &d.EnableExpress,
		ForwardDeadLetteredMessagesTo: textOrNil(d.ForwardDeadLettersTo),
		MaxMessageSizeInKilobytes:     new(d.MaxMessageBytes / 1024),
	}
}

// foreverOr writes a duration of which zero means without end.
func foreverOr(d time.Duration) *string {
	if d == 0 {
		d = timespan.Unlimited
	}
	return new(timespan.Format(d))
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// properties reads what a client sent. Its error lists all faults.
func (q *queueDescription) properties() (broker.Properties, error) {
	r := reading{}
	p := broker.Properties{
		LockDuration:             r.duration("LockDuration", q.LockDuration),
		MaxDeliveryCount:         int(r.positive("MaxDeliveryCount", q.MaxDeliveryCount)),
		DefaultTimeToLive:        r.life("DefaultMessageTimeToLive", q.DefaultMessageTimeToLive),
		DeadLetterOnExpiration:   value(q.DeadLetteringOnMessageExpiration),
		RequiresSession:          value(q.RequiresSession),
		RequiresDuplicateDetect:  value(q.RequiresDuplicateDetection),
		DuplicateDetectionWindow: r.duration("DuplicateDetectionHistoryTimeWindow", q.DuplicateDetectionHistoryTimeWindow),
		MaxSizeMegabytes:         int(r.positive("MaxSizeInMegabytes", q.MaxSizeInMegabytes)),
		MaxMessageBytes:          r.kilobytes(q.MaxMessageSizeInKilobytes),
		ForwardTo:                value(q.ForwardTo),
		ForwardDeadLettersTo:     value(q.ForwardDeadLetteredMessagesTo),
		Status:                   r.status(value(q.Status)),
		UserMetadata:             value(q.UserMetadata),
		AutoDeleteOnIdle:         r.life("AutoDeleteOnIdle", q.AutoDeleteOnIdle),
		EnablePartitioning:       value(q.EnablePartitioning),
		EnableBatchedOperations:  q.EnableBatchedOperations == nil || *q.EnableBatchedOperations,
		EnableExpress:            value(q.EnableExpress),
		SupportOrdering:          q.SupportOrdering == nil || *q.SupportOrdering,
		AnonymousAccessible:      value(q.IsAnonymousAccessible),
		Attachment:               q.AuthorizationRules,
	}
	r.rules(q.AuthorizationRules)
	if err := errors.Join(r.faults...); err != nil {
		return p, &refusal{http.StatusBadRequest, "SubCode=40000. " + strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	return p, nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// reading collects the faults of a description.
type reading struct{ faults []error }

func (r *reading) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf(format, args...))
}

// duration reads a duration; missing or empty is zero.
func (r *reading) duration(name string, text *string) time.Duration {
	s := strings.TrimSpace(value(text))
	if s == "" {
		return 0
	}
	d, err := timespan.Parse(s)
	if err != nil || d == 0 {
		r.fault("%s is %.40q, but has to be a positive ISO 8601 duration", name, s)
	}
	return d
}

// life reads a duration of which zero means without end.
func (r *reading) life(name string, text *string) time.Duration {
	d := r.duration(name, text)
	if d == timespan.Unlimited {
		return 0
	}
	return d
}

func (r *reading) positive(name string, n *int32) int32 {
	if n != nil && *n <= 0 {
		r.fault("%s is %d, but has to be positive", name, *n)
	}
	return value(n)
}

// kilobytes reads a message size in bytes.
func (r *reading) kilobytes(n *int64) int64 {
	if n != nil && (*n < 1 || *n > 100<<10) {
		r.fault("MaxMessageSizeInKilobytes is %d, but has to be 1 to %d", *n, 100<<10)
		return 0
	}
	return value(n) * 1024
}

func (r *reading) status(name string) broker.Status {
	if name = strings.TrimSpace(name); name == "" {
		return broker.Active
	}
	i := slices.Index(statuses, name)
	if i < 0 {
		r.fault("Status is %.40q, but has to be one of %s", name, strings.Join(statuses, ", "))
		return broker.Active
	}
	return broker.Status(i)
}
