package files

import (
	"context"
	_ "crypto/sha256" // the hashes of schema's algorithms
	_ "crypto/sha512"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/schema"
)

// Document is a file to sign.
type Document struct {
	Path   string
	Size   int64
	Digest []byte
	Err    error // the file could not be read; digest is nil
}

// Digest reads a file once, in pieces, and returns its digest. The size is
// that of what was read. It ends early when ctx does.
func Digest(ctx context.Context, path string, a schema.Algorithm) Document {
	d := Document{Path: path}
	f, err := OpenRegular(path)
	if err != nil {
		d.Err = err
		return d
	}
	defer f.Close() //nolint:errcheck // only read
	h := a.Hash().New()
	d.Size, err = io.Copy(h, &cancelled{ctx, f})
	if err != nil {
		d.Err = fmt.Errorf("read %s: %w", display.OneLine(path), display.Error(err))
		return d
	}
	d.Digest = h.Sum(nil)
	return d
}

// OpenRegular opens a file to read. It refuses a pipe or a device, on which a
// reader might wait for ever, and does not wait to find out.
func OpenRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, display.Error(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", display.OneLine(name))
	}
	if err != nil {
		f.Close() //nolint:errcheck // only read
		return nil, display.Error(err)
	}
	return f, nil
}

// cancelled is a reader that ends with a context.
type cancelled struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call of digestFile
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
