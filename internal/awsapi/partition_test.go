package awsapi

import "testing"

func TestRegions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		partition  string
		valid, sms bool
	}{
		"us-east-1":       {"aws", true, true},
		"eu-west-1":       {"aws", true, true},
		"eu-south-2":      {"aws", true, true},
		"ap-southeast-7":  {"aws", true, false},
		"mx-central-1":    {"aws", true, false},
		"cn-north-1":      {"aws-cn", true, false},
		"us-gov-west-1":   {"aws-us-gov", true, true},
		"eusc-de-east-1":  {"aws-eusc", true, false},
		"us-iso-east-1":   {"aws-iso", true, false},
		"us-isob-east-1":  {"aws-iso-b", true, false},
		"eu-isoe-west-1":  {"aws-iso-e", true, false},
		"us-isof-south-1": {"aws-iso-f", true, false},
		"":                {"aws", false, false},
		"ireland":         {"aws", false, false},
		"eu-west":         {"aws", false, false},
		"eu-west-1a":      {"aws", false, false},
		"EU-WEST-1":       {"aws", false, false},
		" eu-west-1":      {"aws", false, false},
		"eu-west-1\n":     {"aws", false, false},
	}
	for region, want := range tests {
		if got := PartitionOf(region); got != want.partition {
			t.Errorf("PartitionOf(%q) = %q, want %q: the policy's Deny would name no real ARN", region, got, want.partition)
		}
		if got := ValidRegionName(region); got != want.valid {
			t.Errorf("ValidRegionName(%q) = %t: a typing error would show only in apply, or a region be refused", region, got)
		}
		if got := SMSRegion(region); got != want.sms {
			t.Errorf("SMSRegion(%q) = %t", region, got)
		}
	}
}
