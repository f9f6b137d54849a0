package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	tfjson "github.com/hashicorp/terraform-json"
)

// IsSaved tells a plan file that "terraform plan -out" saved, which is a zip
// archive, from JSON.
func IsSaved(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

// Read reads what "terraform show -json" prints of a plan, of format versions 0.1
// to 1.x. Fields that it does not know are ignored. A plan that Terraform could
// not finish is an error: what it does not show, nobody has judged.
func Read(data []byte) (*tfjson.Plan, error) {
	var kind struct {
		FormatVersion string `json:"format_version"`
		Errored       bool   `json:"errored"`
		PlannedValues any    `json:"planned_values"`
		Changes       any    `json:"resource_changes"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, fmt.Errorf("this is not what \"terraform show -json\" prints of a plan: %w", err)
	}
	switch {
	case kind.FormatVersion == "":
		return nil, errors.New("this is not what \"terraform show -json\" prints of a plan: it has no format_version")
	case kind.Errored:
		return nil, errors.New("Terraform could not finish this plan and it cannot be applied: mend what it complained of, and plan again") //nolint:revive,staticcheck // A name.
	}
	plan := new(tfjson.Plan)
	if err := json.Unmarshal(data, plan); err != nil {
		return nil, fmt.Errorf("this plan cannot be read: %w", err)
	}
	if kind.PlannedValues == nil && kind.Changes == nil {
		return nil, errors.New("this is no plan: it has neither planned_values nor resource_changes. A state, perhaps? Name the plan file: terraform show -json PLAN")
	}
	return plan, nil
}
