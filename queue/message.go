package queue

import "time"

// Message is what travels. Field names follow the Service Bus message model
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messages-payloads).
type Message struct {
	ID               string         // MessageId, at most 128 characters; the key of duplicate detection; senders always set it
	CorrelationID    string         // on a reply: the request's CorrelationID, else its ID
	ReplyTo          string         // name of the queue where the sender wants the reply; untrusted input
	ReplyToSessionID string         // becomes the reply's SessionID
	Queue            string         // name of the queue that it was received from; receivers set it, senders leave it out
	SessionID        string         // at most 128 characters; "" for none
	PartitionKey     string         // keeps messages together on a queue with partitions; like SessionID where both are set; "" for none
	Subject          string         // application-specific label
	ContentType      string         // media type of Body, RFC 2045
	ContentEncoding  string         // how Body is compressed, RFC 9110, section 8.4.1; "": it is not
	Body             []byte         // payload; the first data section on AMQP
	Properties       map[string]any // application properties; strings, numbers, booleans, times and bytes
	TimeToLive       time.Duration  // counts from ScheduledAt, where that is later; zero: the queue's default
	ScheduledAt      time.Time      // broker time before which it is not delivered; zero: at once; on a received message: as sent
}
