package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// run is one pass of a subject through its life. The no-op plan follows the apply.
type run struct{ apply, noop, destroy sample }

// sample is what one Terraform command cost.
type sample struct {
	wall     time.Duration
	requests int
	memory   memory
}

// memory holds peaks in bytes. Anonymous memory is the process's own; the
// resident high-water mark also counts the pages of its binary that were touched.
type memory struct {
	anonymous int64 // RssAnon, summed over the providers alive at one moment
	resident  int64 // VmHWM, summed likewise
	terraform int64 // VmHWM of Terraform itself
}

func (s *subject) run(ctx context.Context, box *sandbox) error {
	if err := box.reset(ctx); err != nil {
		return err
	}
	var r run
	for _, phase := range []struct {
		into *sample
		args []string
	}{
		{&r.apply, []string{"apply", "-auto-approve"}},
		// Exit code 2, a plan that is not empty, is a failure here.
		{&r.noop, []string{"plan", "-detailed-exitcode"}},
		{&r.destroy, []string{"destroy", "-auto-approve"}},
	} {
		var err error
		if *phase.into, err = s.measure(ctx, box, phase.args); err != nil {
			return err
		}
	}
	s.runs = append(s.runs, r)
	return nil
}

func (s *subject) measure(ctx context.Context, box *sandbox, args []string) (sample, error) {
	cmd := s.terraform(ctx, box.env, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	watching, stop := context.WithCancel(ctx)
	peak := make(chan memory)
	go func() { peak <- watch(watching, cmd.Process.Pid) }()
	err := cmd.Wait()
	result := sample{wall: time.Since(begin)}
	stop()
	result.memory = <-peak
	if err != nil {
		return sample{}, fmt.Errorf("terraform %s: %w\n%s", args[0], err, &out)
	}
	result.requests, err = box.requests(ctx)
	return result, err
}

// watch samples Terraform and its children, which are providers all of them, until ctx ends.
func watch(ctx context.Context, pid int) memory {
	var peak memory
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		var now memory
		now.terraform = status(pid)["VmHWM"]
		for _, child := range children(pid) {
			fields := status(child)
			now.anonymous += fields["RssAnon"]
			now.resident += fields["VmHWM"]
		}
		peak.anonymous = max(peak.anonymous, now.anonymous)
		peak.resident = max(peak.resident, now.resident)
		peak.terraform = max(peak.terraform, now.terraform)
		select {
		case <-ctx.Done():
			return peak
		case <-ticker.C:
		}
	}
}

// children lists the processes that pid started and that run another program
// by now: between fork and exec a child shows its parent's memory.
func children(pid int) []int {
	proc := func(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
	parent, err := os.Readlink(proc(pid, "exe"))
	if err != nil {
		return nil
	}
	lists, err := filepath.Glob(proc(pid, "task/*/children"))
	if err != nil {
		return nil
	}
	var pids []int
	for _, list := range lists {
		content, err := os.ReadFile(list)
		if err != nil {
			continue // the thread ended
		}
		for _, field := range strings.Fields(string(content)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				continue
			}
			if exe, err := os.Readlink(proc(child, "exe")); err == nil && exe != parent {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// status reads the sizes, in bytes, that /proc/PID/status gives in kB; none when the process is gone.
func status(pid int) map[string]int64 {
	sizes := map[string]int64{}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return sizes
	}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(line, ":")
		if number, ok := strings.CutSuffix(strings.TrimSpace(value), " kB"); ok {
			if kB, err := strconv.ParseInt(number, 10, 64); err == nil {
				sizes[name] = kB * 1024
			}
		}
	}
	return sizes
}
