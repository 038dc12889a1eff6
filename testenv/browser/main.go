// Command browser logs in to a Zabbix frontend with a Chromium that has no window, saves pictures of pages and tells what stands in their tables. It is a module of
// its own, so that what drives the browser is not the plugin's.
//
// It reads an order as JSON from standard input, and writes a result for each page as JSON. CHROMIUM is the browser's path.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	// pageLimit is for a page on a busy machine; an idle one shows a dashboard in 2 s.
	pageLimit    = 60 * time.Second
	pollInterval = 200 * time.Millisecond
	// settledPolls is how often in a row nothing may be loading before a page is taken for whole.
	settledPolls = 5
)

// order is what is to be done as one user.
type order struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Pages    []page `json:"pages"`
}

// page is a page of the frontend, by its path below the URL, and the picture of it.
type page struct {
	Path string `json:"path"`
	// Number is that of a page of a dashboard in kiosk mode, from 1 on; it is turned to as a person does, for 6.0 knows no address of it.
	Number int    `json:"number"`
	File   string `json:"file"`
	Width  int64  `json:"width"`
	Height int64  `json:"height"`
}

// result is what was seen of a page.
type result struct {
	File string `json:"file"`
	// Tables has each table's rows with the text of their cells.
	Tables [][][]string `json:"tables"`
	// Errors are what the page complains about.
	Errors []string `json:"errors"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var o order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("cannot understand the order: %w", err)
	}
	profile, err := os.MkdirTemp("", "browser-")
	if err != nil {
		return fmt.Errorf("cannot make a profile: %w; free space in %s", err, os.TempDir())
	}
	defer func() { _ = os.RemoveAll(profile) }()
	ctx, stop := start(profile)
	defer stop()
	if err := logIn(ctx, o); err != nil {
		return fmt.Errorf("cannot log in as %s: %w; look at the frontend's errors", o.User, err)
	}
	results := make([]result, len(o.Pages))
	for i, p := range o.Pages {
		if results[i], err = p.take(ctx, o.URL); err != nil {
			return fmt.Errorf("cannot take a picture of %s: %w", p.Path, err)
		}
	}
	return json.NewEncoder(out).Encode(results)
}

// start starts a browser that asks nobody but the frontend, and dies with this process.
func start(profile string) (context.Context, func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(os.Getenv("CHROMIUM")), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.WSURLReadTimeout(pageLimit),
		chromedp.ModifyCmdFunc(func(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	return ctx, func() { closeTab(); end() }
}

func logIn(ctx context.Context, o order) error {
	// The browser starts with the first action, and ends with that action's context.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, pageLimit)
	defer cancel()
	return chromedp.Do(limited,
		chromedp.Navigate(o.URL+"/index.php"), chromedp.WaitVisible("#name"),
		chromedp.SendKeys("#name", o.User), chromedp.SendKeys("#password", o.Password), chromedp.Click("#enter"),
		chromedp.WaitNotPresent("#enter"))
}

// tables is what a person reads in the tables of a page.
const tables = `[...document.querySelectorAll("table.list-table")].map(t => [...t.rows].map(r => [...r.cells].map(c => c.innerText.trim())))`

// complaints are the page's own messages, and those of its widgets.
const complaints = `[...document.querySelectorAll(".msg-bad, .msg-warning")].map(m => m.innerText.trim()).filter(m => m !== "")`

// turn turns to the next page of a dashboard.
const turn = `document.querySelector(".btn-dashboard-kioskmode-next-page").click() === undefined`

// hideButtons takes away the buttons of the kiosk mode, which fade away by themselves some seconds after the mouse moved.
const hideButtons = `document.querySelectorAll(".btn-dashboard-normal, .header-kiosk, .dashboard-kioskmode-controls, .header-kioskmode-controls").forEach(b => b.remove()) === undefined`

func (p page) take(ctx context.Context, url string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, pageLimit)
	defer cancel()
	seen := result{File: p.File}
	err := chromedp.Do(ctx, chromedp.EmulateViewport(p.Width, p.Height), chromedp.Navigate(strings.TrimSuffix(url, "/")+"/"+p.Path))
	if err == nil {
		err = settle(ctx)
	}
	for turned := 1; turned < p.Number && err == nil; turned++ {
		if _, err = chromedp.Run(ctx, chromedp.Evaluate[bool](turn)); err == nil {
			err = settle(ctx)
		}
	}
	if err != nil {
		return seen, err
	}
	if seen.Tables, err = chromedp.Run(ctx, chromedp.Evaluate[[][][]string](tables)); err != nil {
		return seen, err
	}
	if seen.Errors, err = chromedp.Run(ctx, chromedp.Evaluate[[]string](complaints)); err != nil {
		return seen, err
	}
	if _, err = chromedp.Run(ctx, chromedp.Evaluate[bool](hideButtons)); err != nil {
		return seen, err
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return seen, err
	}
	small, err := shrink(picture)
	if err != nil {
		return seen, err
	}
	return seen, os.WriteFile(p.File, small, 0o644)
}

// settle waits until a page and its widgets are loaded.
func settle(ctx context.Context) error {
	const loaded = `document.readyState === "complete" && document.querySelectorAll(".is-loading, .loading").length === 0 && [...document.images].every(i => i.complete)`
	for settled := 0; settled < settledPolls; {
		whole, err := chromedp.Run(ctx, chromedp.Evaluate[bool](loaded))
		if err != nil {
			return err
		}
		settled++
		if !whole {
			settled = 0
		}
		select {
		case <-ctx.Done():
			return errors.New("it goes on loading; look at the frontend's errors")
		case <-time.After(pollInterval):
		}
	}
	return nil
}
