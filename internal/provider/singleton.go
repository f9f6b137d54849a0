package provider

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// singleton is what a run of Terraform knows of the one object of a tenant that
// several blocks, or a block and the object that it replaced, may stand for. Each
// of them would give back what was there before itself, and so take away what
// another one has set. The lock keeps a creation from the middle of a
// destruction.
type singleton struct {
	sync.Mutex
	read    int  // by a refresh: these are in the state
	created bool // by this run
	deleted int
}

// saw counts an object that is in the state.
func (s *singleton) saw() {
	s.Lock()
	defer s.Unlock()
	s.read++
}

// note remembers how many others are in the state for [singleton.succeeded],
// which is asked in another process. Terraform reads them side by side, so that
// all have begun when the first one has its answers.
func (s *singleton) note(ctx context.Context, private privateWriter) diag.Diagnostics {
	s.Lock()
	defer s.Unlock()
	return writePrivate(ctx, private, privateOthers, max(s.read-1, 0))
}

// succeeded tells, with the lock held, whether another object stays when this one
// goes, and counts it as gone.
func (s *singleton) succeeded(ctx context.Context, private privateReader) (bool, diag.Diagnostics) {
	var others int
	_, diags := readPrivate(ctx, private, privateOthers, &others)
	stays := s.created || others > s.deleted
	s.deleted++
	return stays, diags
}
