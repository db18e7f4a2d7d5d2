//go:build !race

package quotabench

// raceEnabled skips what takes minutes under the race detector.
const raceEnabled = false
