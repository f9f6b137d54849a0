package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// The account's SMS spending, a metric without dimensions that grows through the
// month.
// https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
const (
	smsNamespace = "AWS/SNS"
	spentMetric  = "SMSMonthToDateSpentUSD"
)

// spentPeriod keeps a month under the 1,440 data points that CloudWatch answers.
const spentPeriod = time.Hour

// SMSMonthToDateSpentUSD is what a region has spent on SMS in the calendar month
// of now (UTC), some minutes behind. Known is false where CloudWatch has no data
// point of this month: nothing was sent, or it has not come through.
func (c *Client) SMSMonthToDateSpentUSD(ctx context.Context, region string, now time.Time) (usd float64, known bool, err error) {
	now = now.UTC()
	out, err := guarded(ctx, c, c.metrics, &cloudwatch.GetMetricStatisticsInput{
		Namespace:  aws.String(smsNamespace),
		MetricName: aws.String(spentMetric),
		Statistics: []types.Statistic{types.StatisticMaximum},
		Period:     aws.Int32(int32(spentPeriod / time.Second)),
		StartTime:  aws.Time(time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)),
		// The end is exclusive, and the first second of a month needs one too.
		EndTime: aws.Time(now.Add(time.Minute)),
	}, func(o *cloudwatch.Options) {
		if region != "" {
			o.Region = region
		}
	})
	if err != nil {
		return 0, false, err
	}
	var latest time.Time
	for _, point := range out.Datapoints {
		if at := aws.ToTime(point.Timestamp); point.Maximum != nil && !at.Before(latest) {
			usd, known, latest = *point.Maximum, true, at
		}
	}
	return usd, known, nil
}
