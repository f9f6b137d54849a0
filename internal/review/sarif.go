package review

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
)

// SARIF writes findings in the format of code scanning, version 2.1.0
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html). A finding
// without a position has the address alone, which GitHub does not show in a file.
func SARIF(w io.Writer, findings []Finding, version string) error {
	index := map[string]int{}
	var rules []sarifRule
	for i, r := range Rules() {
		index[r.ID] = i
		rules = append(rules, sarifRule{ID: r.ID, ShortDescription: sarifText{r.Title}})
	}
	results := []sarifResult{} // Of a run without one, an empty list says that it looked.
	for _, f := range findings {
		results = append(results, sarifResult{
			RuleID: f.ID, RuleIndex: index[f.ID], Level: sarifLevel(f.Severity),
			Message:             sarifText{f.said()},
			Locations:           f.sarifLocations(),
			PartialFingerprints: map[string]string{"finding/v1": f.fingerprint()},
			Properties:          sarifProperties{f.Severity},
		})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:       sarifTool{sarifDriver{Name: "auth0sns", Version: version, Rules: rules}},
			ColumnKind: "utf16CodeUnits",
			Results:    results,
		}},
	})
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             sarifText         `json:"message"`
	Locations           []sarifLocation   `json:"locations,omitempty"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
	Properties          sarifProperties   `json:"properties"`
}

type sarifProperties struct {
	Severity Severity `json:"severity"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// sarifLevel is the nearest of the three that SARIF has.
func sarifLevel(s Severity) string {
	switch {
	case s >= High:
		return "error"
	case s == Medium:
		return "warning"
	default:
		return "note"
	}
}

func (f Finding) sarifLocations() []sarifLocation {
	var location sarifLocation
	if f.Address != "" {
		location.Logical = []sarifLogical{{FullyQualifiedName: f.Address, Kind: "resource"}}
	}
	if f.Position != nil {
		location.Physical = &sarifPhysical{sarifArtifact{fileURI(f.Position.File)}, sarifRegion{f.Position.Line}}
	}
	if location.Logical == nil && location.Physical == nil {
		return nil
	}
	return []sarifLocation{location}
}

// said is the finding in one text: a message of SARIF is all that a person sees.
func (f Finding) said() string {
	text := f.Message
	if f.Detail != "" {
		text += " " + f.Detail
	}
	if f.Diff != "" {
		text += "\n\n" + f.Diff
	}
	return text
}

// fingerprint tells a finding from others also when lines move.
func (f Finding) fingerprint() string {
	sum := sha256.Sum256([]byte(f.ID + "\x00" + f.Address + "\x00" + f.Message))
	return hex.EncodeToString(sum[:])
}
