package main

import (
	"context"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"hedgehog-gitops/render/netbox/rest"
)

// apply writes the plan into NetBox. What was done before a failure is done: the
// result says how much.
func (o importOptions) apply(ctx context.Context, conf *config, result *importResult) error {
	options, err := o.app.netboxOptions(conf)
	if err != nil {
		return err
	}
	client, err := rest.New(options)
	if err != nil {
		return err
	}
	digest, err := planDigest(listedPlan(result.Plan))
	if err != nil {
		return err
	}
	progress := o.app.newCount(len(result.Plan.Changes), "writing to NetBox", o.common.quiet)
	applied, failure := rest.Apply(ctx, client, result.Plan, result.Before, rest.ApplyOptions{
		Message:  fmt.Sprintf("hedgehog-gitops import of %s, plan %.12s", result.Plan.Fabric, digest),
		Progress: progress.reached,
	})
	progress.end()
	result.Done = applied.Done
	if failure == nil {
		result.Applied = true
		return nil
	}
	if applied.Done == 0 {
		return failure
	}
	o.app.say("%s: %d of %s are in NetBox", printable(result.Fabric), applied.Done, plural(applied.Total, "change"))
	return hint(failure, "import the manifests again: the new plan is what is left to do")
}

// count shows how much of known work is done; on a terminal only. The zero value shows
// nothing.
type count struct{ bar *progressbar.ProgressBar }

func (a *app) newCount(total int, what string, quiet bool) count {
	if !a.errTTY || quiet {
		return count{}
	}
	return count{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(a.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(min(40, max(10, a.width-50))),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// reached says how much is done by now.
func (c count) reached(done, _ int) {
	if c.bar != nil {
		_ = c.bar.Set(done) // a display that fails stops no work
	}
}

// end takes the display away.
func (c count) end() {
	if c.bar != nil {
		_ = c.bar.Clear()
	}
}
