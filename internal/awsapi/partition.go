package awsapi

import (
	"slices"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// partition is one of AWS's separate clouds. Credentials of one mean nothing
// in another.
type partition struct {
	name         string
	region       *lazyregexp.Regexp
	globalRegion string // where the partition's global services (IAM) are signed for
}

// partitions holds the names and region patterns of AWS's own endpoint data
// (partitions.json, shipped in every AWS SDK).
var partitions = []partition{
	{"aws", lazyregexp.New(`^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$`), "us-east-1"},
	{"aws-cn", lazyregexp.New(`^cn-\w+-\d+$`), "cn-northwest-1"},
	{"aws-us-gov", lazyregexp.New(`^us-gov-\w+-\d+$`), "us-gov-west-1"},
	{"aws-eusc", lazyregexp.New(`^eusc-de-\w+-\d+$`), "eusc-de-east-1"},
	{"aws-iso", lazyregexp.New(`^us-iso-\w+-\d+$`), "us-iso-east-1"},
	{"aws-iso-b", lazyregexp.New(`^us-isob-\w+-\d+$`), "us-isob-east-1"},
	{"aws-iso-e", lazyregexp.New(`^eu-isoe-\w+-\d+$`), "eu-isoe-west-1"},
	{"aws-iso-f", lazyregexp.New(`^us-isof-\w+-\d+$`), "us-isof-south-1"},
}

// PartitionOf gives the partition a region belongs to, judged by the shape of
// its name. What fits no partition, "" included, counts as "aws".
func PartitionOf(region string) string {
	if i := partitionIndex(region); i >= 0 {
		return partitions[i].name
	}
	return "aws"
}

// ValidRegionName tells whether a name has the shape of a region's name in
// any partition. It cannot tell whether that region exists: AWS opens new
// ones without asking us.
func ValidRegionName(region string) bool { return partitionIndex(region) >= 0 }

func partitionIndex(region string) int {
	return slices.IndexFunc(partitions, func(p partition) bool { return p.region.MatchString(region) })
}

// globalRegion gives the region that a partition's global services use.
func globalRegion(name string) string {
	for _, p := range partitions {
		if p.name == name {
			return p.globalRegion
		}
	}
	return partitions[0].globalRegion
}

// SMSRegion tells whether SNS is known to send SMS from a region. False is
// reason for a warning, not for a refusal: the list grows.
//
// The list is the table of
// https://docs.aws.amazon.com/sns/latest/dg/sns-supported-regions-countries.html
// as read on 2026-11-23. The copy read ends in the middle of Europe; the rest
// comes from that page's older text and from the endpoint list of AWS End User
// Messaging SMS (sms-voice), the service that delivers what SNS accepts.
func SMSRegion(region string) bool {
	switch region {
	case "us-east-1", "us-east-2", "us-west-1", "us-west-2",
		"us-gov-east-1", "us-gov-west-1",
		"af-south-1",
		"ap-northeast-1", "ap-northeast-3", "ap-south-1", "ap-south-2",
		"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
		"ca-central-1", "ca-west-1",
		"eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2",
		"eu-west-1", "eu-west-2", "eu-west-3",
		"il-central-1", "me-central-1", "me-south-1",
		"sa-east-1":
		return true
	default:
		return false
	}
}
