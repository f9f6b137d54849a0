package provider

import (
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// singleton is what a run of Terraform knows of the one object of a tenant that
// several blocks, or a block and the object that it replaced, may stand for. Each
// of them would give back what was there before itself, and so take away what
// another one has set. The lock keeps a creation from the middle of a
// destruction.
type singleton struct {
	sync.Mutex
	created bool // by this run
	// planned are the states of objects whose destruction was planned in this run.
	planned []string
}

// planDestroy remembers that a destruction was planned in this run. Terraform
// plans and applies in runs of their own, but for deposed objects: those of a
// replacement that stopped in the middle, which it plans once more while it
// applies (terraform's node_resource_destroy_deposed.go).
func (s *singleton) planDestroy(state tfsdk.State) {
	s.Lock()
	defer s.Unlock()
	s.planned = append(s.planned, state.Raw.String())
}

// succeeded tells, with the lock held, whether an object that goes has a
// successor: one that this run has made, or the one that deposed it.
func (s *singleton) succeeded(state tfsdk.State) bool {
	return s.created || slices.Contains(s.planned, state.Raw.String())
}
