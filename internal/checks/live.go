package checks

import (
	"context"
	"errors"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// Key is the access key that the sender holds, as far as that can be told.
type Key struct {
	awsapi.AccessKey
	LastUsed awsapi.LastUsed // zero for never
	// Due is when the configuration has it replaced; zero where that is not known.
	Due time.Time
}

// Key reads the sender's key. The error says why it cannot be told.
func (s *Subject) Key(ctx context.Context) (Key, error) {
	key, none, err := s.keyOf(ctx)
	switch {
	case err != nil:
		return Key{}, err
	case none != nil:
		return Key{}, errors.New(none.Cause)
	}
	used, err := s.AWS.AccessKeyLastUsed(ctx, key.ID)
	return Key{key, used, s.Expect.RotationDue}, err
}

// Spend is what a region may spend on SMS in a month, and has spent in this one.
// Nil is what AWS does not say.
type Spend struct{ LimitUSD, SpentUSD *float64 }

// Spend reads the limit, and the spending where CloudWatch may be asked: the
// error of that comes with the limit.
func (s *Subject) Spend(ctx context.Context) (Spend, error) {
	settings, err := s.smsSettings(ctx)
	if err != nil {
		return Spend{}, err
	}
	spend := Spend{LimitUSD: settings.MonthlySpendLimitUSD}
	usd, known, err := s.AWS.SMSMonthToDateSpentUSD(ctx, s.region(), s.Now())
	if err == nil && known {
		spend.SpentUSD = &usd
	}
	return spend, err
}
