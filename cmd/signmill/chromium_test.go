package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// chromium is a browser without a window. It is talked to over a pipe in the
// DevTools protocol (https://chromedevtools.github.io/devtools-protocol), which
// takes neither a port nor a library.
type chromium struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	session string // of the page
	last    int    // number of a call
	faults  []string
	loaded  int // pages
}

// findChromium returns the program, or "".
func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// newChromium starts a browser with an empty page.
func newChromium(t *testing.T, path string) *chromium {
	t.Helper()
	theirIn, ourOut, err := os.Pipe()
	must(t, err)
	ourIn, theirOut, err := os.Pipe()
	must(t, err)
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // as its descriptors 3 and 4
	must(t, cmd.Start())
	theirIn.Close()
	theirOut.Close()
	c := &chromium{t: t, to: ourOut, from: bufio.NewReader(ourIn)}
	t.Cleanup(func() {
		c.session = ""
		c.call("Browser.close", nil)
		cmd.Wait()
		ourOut.Close()
		ourIn.Close()
	})
	target := c.call("Target.createTarget", map[string]any{"url": "about:blank"})
	c.session = c.call("Target.attachToTarget", map[string]any{"targetId": target["targetId"], "flatten": true})["sessionId"].(string)
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		c.call(domain+".enable", nil)
	}
	return c
}

// answer is what the browser says: the result of a call, or an event.
type answer struct {
	ID     int
	Method string
	Params json.RawMessage
	Result map[string]any
	Error  struct{ Message string }
}

// call asks the browser and waits for its answer.
func (c *chromium) call(method string, params any) map[string]any {
	c.t.Helper()
	c.last++
	call := map[string]any{"id": c.last, "method": method}
	if params != nil {
		call["params"] = params
	}
	if c.session != "" {
		call["sessionId"] = c.session
	}
	text, err := json.Marshal(call)
	must(c.t, err)
	_, err = c.to.Write(append(text, 0))
	must(c.t, err)
	for {
		a := c.next()
		if a.ID != c.last {
			continue
		}
		if a.Error.Message != "" {
			c.t.Fatalf("%s: %s", method, a.Error.Message)
		}
		return a.Result
	}
}

// next reads one answer, and takes down what tells of a fault.
func (c *chromium) next() (a answer) {
	c.t.Helper()
	text, err := c.from.ReadBytes(0)
	must(c.t, err)
	must(c.t, json.Unmarshal(bytes.TrimRight(text, "\x00"), &a))
	switch a.Method {
	case "Page.loadEventFired":
		c.loaded++
	case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Network.loadingFailed":
		c.faults = append(c.faults, fmt.Sprintf("%s %s", a.Method, a.Params))
	}
	return a
}

// open loads a page in a window of a size, on a screen that is light or dark.
func (c *chromium) open(url string, width, height int, scheme string) {
	c.t.Helper()
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 600})
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
	before := c.loaded
	c.call("Page.navigate", map[string]any{"url": url})
	for c.loaded == before {
		c.next()
	}
}

// number evaluates an expression of the page.
func (c *chromium) number(expression string) int {
	c.t.Helper()
	result, _ := c.call("Runtime.evaluate", map[string]any{"expression": expression})["result"].(map[string]any)
	n, ok := result["value"].(float64)
	if !ok {
		c.t.Fatalf("%s: got %v, want a number", expression, result)
	}
	return int(n)
}

// shoot writes a picture of the whole page.
func (c *chromium) shoot(name string) {
	c.t.Helper()
	data, _ := c.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true})["data"].(string)
	picture, err := base64.StdEncoding.DecodeString(data)
	must(c.t, err)
	must(c.t, os.WriteFile(name, picture, 0o644))
}

// inspect opens a page at the size of a phone and of a desk, by day and by night,
// and complains about errors and about what is wider than the window.
func (c *chromium) inspect(url, dir, name string) {
	c.t.Helper()
	sizes := map[string][2]int{"phone": {390, 844}, "desk": {1440, 900}}
	for device, size := range sizes {
		for _, scheme := range []string{"light", "dark"} {
			c.open(url, size[0], size[1], scheme)
			if wide := c.number("document.documentElement.scrollWidth"); wide > size[0] {
				c.t.Errorf("%s: %s is %d pixels wide on a window of %d", name, device, wide, size[0])
			}
			if c.number("document.body.innerText.length") < 100 {
				c.t.Errorf("%s: %s shows nothing", name, device)
			}
			c.shoot(filepath.Join(dir, strings.Join([]string{name, device, scheme}, "-")+".png"))
		}
	}
	for _, fault := range c.faults {
		c.t.Errorf("%s: %s", name, fault)
	}
	c.faults = nil
}
