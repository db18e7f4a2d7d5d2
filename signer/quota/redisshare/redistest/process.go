package redistest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Process is a real store, in a process of its own on loopback.
type Process struct {
	t       testing.TB
	program string
	address string
	dir     string
	cmd     *exec.Cmd
}

// patience is how long a process may take to start.
const patience = 20 * time.Second

// StartProcess starts a program, redis-server or valkey-server, that keeps each
// write on disk and ends with the test. It returns nil if PATH has no such
// program.
func StartProcess(t testing.TB, program string) *Process {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		return nil
	}
	p := &Process{t: t, program: program, address: freeAddress(t), dir: t.TempDir()}
	p.Start()
	t.Cleanup(p.Kill)
	return p
}

// freeAddress is where nobody listens, for now.
func freeAddress(t testing.TB) string {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nobody used it
	return l.Addr().String()
}

// Addr is the host and port, which stay the same.
func (p *Process) Addr() string { return p.address }

// Start starts the process, again after Kill, and waits until it serves.
func (p *Process) Start() {
	p.t.Helper()
	host, port, _ := net.SplitHostPort(p.address)
	p.cmd = exec.CommandContext(context.WithoutCancel(p.t.Context()), p.program, "--bind", host, "--port", port, "--dir", p.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	late := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !p.serves() {
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("%s does not serve %s after its start", p.program, patience)
		}
	}
}

// serves reports whether the process answers.
func (p *Process) serves() bool {
	c, err := new(net.Dialer).DialContext(context.WithoutCancel(p.t.Context()), "tcp", p.address)
	if err != nil {
		return false
	}
	defer c.Close() //nolint:errcheck // nothing is left that could be lost
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		return false
	}
	answer, _ := bufio.NewReader(c).ReadString('\n')
	return answer == "+PONG\r\n"
}

// Kill ends the process at once, and waits for its end.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	if err := p.cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		p.t.Error(err)
	}
	p.cmd = nil
}

// Forget removes all data of a process that was killed.
func (p *Process) Forget() {
	p.t.Helper()
	if err := os.RemoveAll(p.dir + "/appendonlydir"); err != nil {
		p.t.Fatal(err)
	}
}
