package auth0

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// renderLiquid renders the part of Liquid that Auth0's own phone templates and
// most others use: variables, the filter escape, and if, elsif, else with ==,
// != and contains. Variables are named with their dots; one that is not there is
// empty. Anything else is an error, because a text that is rendered in part
// would hide a mistake.
func renderLiquid(source string, variables map[string]string) (string, error) {
	r := liquid{variables: variables}
	rest := source
	for _, at := range regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`).FindAllString(source, -1) {
		text, after, _ := strings.Cut(rest, at)
		r.write(text)
		rest = after
		inner := strings.TrimSpace(strings.Trim(at[2:len(at)-2], "-"))
		step := r.tag
		if strings.HasPrefix(at, "{{") {
			step = r.output
		}
		if err := step(inner); err != nil {
			return "", err
		}
	}
	if len(r.blocks) > 0 {
		return "", errors.New("an if without endif")
	}
	r.write(rest)
	return r.out.String(), nil
}

type liquid struct {
	variables map[string]string
	out       strings.Builder
	blocks    []liquidBlock // the ifs around the present place
}

// liquidBlock is an if: whether its present branch is the one to show, and
// whether there was one before it.
type liquidBlock struct {
	shown, done bool
}

func (l *liquid) write(text string) {
	for _, b := range l.blocks {
		if !b.shown {
			return
		}
	}
	l.out.WriteString(text)
}

func (l *liquid) output(expression string) error {
	name, filters, _ := strings.Cut(expression, "|")
	value, err := l.value(strings.TrimSpace(name))
	if err != nil {
		return err
	}
	for filter := range strings.SplitSeq(filters, "|") {
		switch strings.TrimSpace(filter) {
		case "":
		case "escape":
			value = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(value)
		default:
			return fmt.Errorf("the filter %q is not known here", strings.TrimSpace(filter))
		}
	}
	l.write(value)
	return nil
}

func (l *liquid) tag(inner string) error {
	word, condition, _ := strings.Cut(inner, " ")
	if word != "if" && len(l.blocks) == 0 {
		return fmt.Errorf("{%% %s %%} is not known here, or has no if", inner)
	}
	last := len(l.blocks) - 1
	switch word {
	case "if":
		holds, err := l.holds(condition)
		l.blocks = append(l.blocks, liquidBlock{shown: holds, done: holds})
		return err
	case "elsif":
		holds, err := l.holds(condition)
		l.blocks[last].next(holds)
		return err
	case "else":
		l.blocks[last].next(true)
	case "endif":
		l.blocks = l.blocks[:last]
	default:
		return fmt.Errorf("{%% %s %%} is not known here", inner)
	}
	return nil
}

func (b *liquidBlock) next(holds bool) {
	b.shown = holds && !b.done
	b.done = b.done || holds
}

// holds evaluates a condition. A variable alone holds when there is one: what
// Liquid calls nil is empty here.
func (l *liquid) holds(condition string) (bool, error) {
	parts := regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(condition, -1)
	if len(parts) != 1 && len(parts) != 3 {
		return false, fmt.Errorf("the condition %q is not known here", condition)
	}
	left, err := l.value(parts[0])
	if err != nil || len(parts) == 1 {
		return left != "", err
	}
	right, err := l.value(parts[2])
	if err != nil {
		return false, err
	}
	switch parts[1] {
	case "==":
		return left == right, nil
	case "!=":
		return left != right, nil
	case "contains":
		return strings.Contains(left, right), nil
	default:
		return false, fmt.Errorf("the comparison %q is not known here", parts[1])
	}
}

var liquidName = regexp.MustCompile(`^[A-Za-z_][\w.-]*$`)

// value is that of a variable or a quoted text.
func (l *liquid) value(term string) (string, error) {
	for _, quote := range []string{`"`, `'`} {
		if inner, ok := enclosed(term, quote, quote); ok {
			return inner, nil
		}
	}
	if !liquidName.MatchString(term) {
		return "", fmt.Errorf("%q is no variable", term)
	}
	return l.variables[term], nil
}
