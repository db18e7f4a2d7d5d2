//go:build race

package quotabench

const raceEnabled = true
