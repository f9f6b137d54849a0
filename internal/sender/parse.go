package sender

import (
	"encoding/json"
	"strings"
	"time"
)

// Parse finds the options that a script was rendered from; those that have their default are left empty. ok is false for
// a script that Render does not give byte for byte: one of a person, an edited one, or one of another version.
func Parse(t Trigger, script string) (o Options, ok bool) {
	text, found := strings.CutPrefix(script, header+declaration)
	var options embedded
	if !found || json.NewDecoder(strings.NewReader(text)).Decode(&options) != nil {
		return Options{}, false
	}
	o = options.parse()
	for _, o.Client = range []Client{"", AWSSDK, Builtin} {
		if code, err := Render(t, o); err == nil && code.Script == script {
			return o, true
		}
	}
	return Options{}, false
}

func (e embedded) parse() Options {
	value := func(name string) string { return e.MessageAttributes[name].StringValue }
	o := Options{
		SMSType:             value(attributeSMSType),
		SenderID:            value(attributeSenderID),
		OriginationNumber:   value(attributeOriginationNumber),
		MaxPriceUSD:         value(attributeMaxPrice),
		EntityID:            value(attributeEntityID),
		TemplateID:          value(attributeTemplateID),
		AllowedCountryCodes: e.AllowedCountryCodes,
		FallbackRegions:     e.FallbackRegions,
		Timeout:             time.Duration(e.TimeoutMS) * time.Millisecond,
	}
	for _, text := range e.Texts {
		o.Texts = append(o.Texts, Text(text))
	}
	if len(o.AllowedCountryCodes) == 0 {
		o.AllowedCountryCodes = nil
	}
	if len(o.FallbackRegions) == 0 {
		o.FallbackRegions = nil
	}
	if o.SMSType == defaultSMSType {
		o.SMSType = ""
	}
	if o.Timeout == defaultTimeout {
		o.Timeout = 0
	}
	return o
}
