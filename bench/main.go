// Command bench measures what a user waits for: plan, apply and destroy of the
// hook scenario on the sandbox, beside Terraform alone, the floor
// (bench/floor) and, where they are at hand, the two providers that do the same
// job today; then what a person waits for, the sender's first SMS in a fresh
// Node, by client (bench/coldstart). Runs are interleaved and medians printed, because a shared machine
// is slower at one moment than at the next. Memory is read from /proc, so there
// is none on other systems than Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench prints the table to out and progress to progress. A missed limit is an error.
func bench(ctx context.Context, out, progress io.Writer) error {
	rounds := flag.Int("rounds", 5, "interleaved runs of each Terraform subject, 0 for none")
	starts := flag.Int("starts", 20, "interleaved cold starts of each sender, 0 for none")
	peers := flag.String("peers", "", "filesystem mirror that holds hashicorp/aws and auth0/auth0")
	cache := flag.String("cache-dir", ".cache/sandbox", "where npm modules are kept")
	flag.Parse()

	work, err := os.MkdirTemp("", "auth0sns-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()

	missed := false
	if *rounds > 0 {
		if missed, err = terraform(ctx, out, progress, work, *cache, *peers, *rounds); err != nil {
			return err
		}
	}
	if *starts > 0 {
		slow, skipped, err := coldStart(ctx, out, progress, work, *cache, *starts)
		if err != nil {
			return err
		}
		if skipped != nil {
			fmt.Fprintf(out, "\nSKIPPED, NOT MEASURED: the sender's cold start, because its peers are not to be had: %v\n", skipped)
		}
		missed = missed || slow
	}
	if missed {
		return errors.New("a limit was missed")
	}
	return nil
}

// terraform measures commands of Terraform, prints their table, and says whether a limit was missed.
func terraform(ctx context.Context, out, progress io.Writer, work, cache, peers string, rounds int) (missed bool, err error) {
	fmt.Fprintln(progress, "building")
	subjects, err := prepare(ctx, work, peers)
	if err != nil {
		return false, err
	}
	box, err := startSandbox(ctx, filepath.Join(work, ours), cache)
	if err != nil {
		return false, err
	}
	defer box.stop()

	for round := range rounds {
		for _, s := range subjects {
			fmt.Fprintf(progress, "round %d of %d: %s\n", round+1, rounds, s.name)
			if err := s.run(ctx, box); err != nil {
				return false, fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}

	fmt.Fprintf(out, "\nMedians of %d interleaved runs, each on fresh state and an emptied sandbox.\n\n", rounds)
	missed = report(out, subjects)
	if peers == "" {
		fmt.Fprintln(out, "\nhashicorp/aws + auth0/auth0: skipped: PEER_PLUGIN_DIR not set")
	}
	return missed, nil
}
