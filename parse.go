package holdfast

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ScenarioError is everything that is wrong with a scenario, a line each.
type ScenarioError struct {
	// Source is the file's name, or what else the scenario came from.
	Source   string
	Mistakes []Mistake
}

// Mistake is one thing wrong with a scenario.
type Mistake struct {
	// Line is where in the source, from 1, or zero if it did not come from one.
	Line int
	// Field is the path of the field, for example "workloads[0].ttl"; it may
	// be empty if Line says it all.
	Field   string
	Message string
}

// Error lists all mistakes.
func (e *ScenarioError) Error() string {
	var b strings.Builder
	for i, m := range e.Mistakes {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Source)
		if m.Line > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(m.Line))
		}
		b.WriteString(": ")
		if m.Field != "" {
			b.WriteString(m.Field + ": ")
		}
		b.WriteString(m.Message)
	}
	return b.String()
}

// ParseScenario reads a scenario from YAML, changes fields of it, completes it
// with the defaults and validates it. An assignment names a field by its path,
// as in "clients.count=3", "workloads.0.ttl=2s" or "faults=[]". All mistakes
// are returned at once, as a *ScenarioError that names source and lines.
func ParseScenario(source string, text []byte, assignments ...string) (Scenario, error) {
	s, mistakes := parse(text, assignments)
	if len(mistakes) > 0 {
		return Scenario{}, &ScenarioError{Source: source, Mistakes: mistakes}
	}
	return s, nil
}

func parse(text []byte, assignments []string) (Scenario, []Mistake) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err == io.EOF {
		return Scenario{}, []Mistake{{Line: 1, Message: "the file is empty; a scenario needs at least a name and workloads"}}
	} else if err != nil {
		return Scenario{}, yamlMistakes(err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err != io.EOF {
		return Scenario{}, []Mistake{{Line: max(second.Line, 1), Message: "a file holds one scenario; this is a second YAML document"}}
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return Scenario{}, []Mistake{{Line: root.Line, Message: "a scenario is a mapping of fields, such as name: quick"}}
	}
	var mistakes []Mistake
	for _, assignment := range assignments {
		if err := assign(root, assignment); err != nil {
			mistakes = append(mistakes, Mistake{Message: fmt.Sprintf("--set %s: %v", assignment, err)})
		}
	}
	s := NewScenario("")
	mistakes = append(mistakes, unknownFields(root, reflect.TypeFor[Scenario](), "")...)
	if err := root.Decode(&s); err != nil {
		mistakes = append(mistakes, yamlMistakes(err)...)
	}
	// The decoder leaves out list items that have a mistake, which would shift
	// the ones behind them: what can be read of each item is read again.
	s.Workloads = items[Workload](child(root, "workloads"))
	s.Faults = items[Fault](child(root, "faults"))
	s.Complete()
	wrong := make(map[int]bool)
	for _, m := range mistakes {
		wrong[m.Line] = m.Line > 0
	}
	for _, m := range s.mistakes() {
		m.Line = lineOf(root, m.Field)
		// What could not be read is not also judged.
		if !wrong[m.Line] {
			mistakes = append(mistakes, m)
		}
	}
	slices.SortStableFunc(mistakes, func(a, b Mistake) int { return a.Line - b.Line })
	return s, mistakes
}

// items reads what can be read of every item of a list.
func items[T any](list *yaml.Node) []T {
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil
	}
	read := make([]T, len(list.Content))
	for i, item := range list.Content {
		_ = item.Decode(&read[i]) // its mistakes were found before
	}
	return read
}

// UnmarshalYAML reads a workload over its defaults.
func (w *Workload) UnmarshalYAML(node *yaml.Node) error {
	type plain Workload
	*w = NewWorkload("")
	return node.Decode((*plain)(w))
}

// yamlMistakes takes the lines out of the YAML decoder's errors.
func yamlMistakes(err error) []Mistake {
	texts := []string{err.Error()}
	var many *yaml.TypeError
	if errors.As(err, &many) {
		texts = many.Errors
	}
	var mistakes []Mistake
	for _, text := range texts {
		text = strings.TrimPrefix(text, "yaml: ")
		m := Mistake{Message: text}
		if n, rest, ok := strings.Cut(strings.TrimPrefix(text, "line "), ": "); ok && strings.HasPrefix(text, "line ") {
			if line, err := strconv.Atoi(n); err == nil {
				m.Line, m.Message = line, plain(rest)
			}
		}
		mistakes = append(mistakes, m)
	}
	return mistakes
}

// plain words a decoder's error without Go's and YAML's internals.
func plain(text string) string {
	if value, kind, ok := strings.Cut(strings.TrimPrefix(text, "cannot unmarshal "), " into "); ok && strings.HasPrefix(text, "cannot unmarshal ") {
		if _, v, ok := strings.Cut(value, " "); ok {
			value = v
		}
		expected := map[string]string{
			"int": "a whole number", "int64": "a whole number", "bool": "true or false", "string": "text",
			"time.Duration": "a duration such as 500ms or 20s", "[]string": "a list", "faults.Names": "a name or a list of names",
			"uint64": "a whole number from 0", "workloads.Rounds": "a mapping of clients to lists of rounds",
			"[]holdfast.Workload": "a list", "[]faults.Entry": "a list",
		}[kind]
		if expected == "" {
			expected = "a mapping of fields"
		}
		return fmt.Sprintf("%s is not %s", value, expected)
	}
	return text
}

// unknownFields finds the mapping keys below node that type t does not have.
func unknownFields(node *yaml.Node, t reflect.Type, path string) []Mistake {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var mistakes []Mistake
	switch {
	case node.Kind == yaml.AliasNode:
		return unknownFields(node.Alias, t, path)
	case node.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range node.Content {
			mistakes = append(mistakes, unknownFields(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case node.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(node.Content); i += 2 {
			mistakes = append(mistakes, unknownFields(node.Content[i+1], t.Elem(), join(path, node.Content[i].Value))...)
		}
	case node.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		fields := yamlFields(t)
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			inner, ok := fields[key.Value]
			if !ok {
				names := make([]string, 0, len(fields))
				for name := range fields {
					names = append(names, name)
				}
				slices.Sort(names)
				mistakes = append(mistakes, Mistake{
					Line: key.Line, Field: join(path, key.Value),
					Message: "there is no such field; here can be " + strings.Join(names, ", "),
				})
				continue
			}
			mistakes = append(mistakes, unknownFields(node.Content[i+1], inner, join(path, key.Value))...)
		}
	}
	return mistakes
}

// yamlFields are the fields of a struct as YAML spells them.
func yamlFields(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type)
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options == "inline" {
			inner := f.Type
			for inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			for name, t := range yamlFields(inner) {
				if _, ok := fields[name]; !ok {
					fields[name] = t
				}
			}
		} else if name != "-" && name != "" {
			fields[name] = f.Type
		}
	}
	return fields
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// lineOf returns the line of the field at path, or of the nearest field around
// it that is in the file.
func lineOf(node *yaml.Node, path string) int {
	line := node.Line
	for path != "" {
		var name string
		name, path = cutField(node, path)
		name, index, indexed := strings.Cut(name, "[")
		next := child(node, name)
		if next == nil && name == "of" {
			next = child(node, "fault")
		}
		if next == nil {
			return line
		}
		node, line = next, next.Line
		if indexed {
			i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if err != nil || node.Kind != yaml.SequenceNode || i >= len(node.Content) {
				return line
			}
			node, line = node.Content[i], node.Content[i].Line
		}
	}
	return line
}

// cutField cuts the first field off a path. The name of a client may have a dot.
func cutField(node *yaml.Node, path string) (name, rest string) {
	name, rest, _ = strings.Cut(path, ".")
	second, after, _ := strings.Cut(rest, ".")
	longer := name + "." + second
	if key, _, _ := strings.Cut(longer, "["); !strings.Contains(name, "[") && child(node, key) != nil {
		return longer, after
	}
	return name, rest
}

func child(node *yaml.Node, name string) *yaml.Node {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i+1]
		}
	}
	return nil
}

// YAML writes the scenario with every default, so that parsing it gives the
// same scenario.
func (s *Scenario) YAML() ([]byte, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(s); err != nil {
		return nil, fmt.Errorf("write scenario %s: %w", s.Name, err)
	}
	return b.Bytes(), nil
}

// assign sets the field that an assignment names, which need not be there yet.
func assign(node *yaml.Node, assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return errors.New("an assignment is path=value, such as clients.count=3")
	}
	for name := range strings.SplitSeq(path, ".") {
		var next *yaml.Node
		switch node.Kind {
		case yaml.SequenceNode:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(node.Content) {
				return fmt.Errorf("%q is not an index of a list of %d", name, len(node.Content))
			}
			next = node.Content[i]
		case yaml.MappingNode:
			if next = child(node, name); next == nil {
				// Whether there is such a field is found when it is read.
				next = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
				node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, next)
			}
		default:
			return fmt.Errorf("%q would be a field of a value that has none", name)
		}
		node = next
	}
	var parsed yaml.Node
	if err := yaml.Unmarshal([]byte(value), &parsed); err != nil {
		return fmt.Errorf("%q is not YAML: %w", value, err)
	}
	line := node.Line
	if len(parsed.Content) == 0 {
		*node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"}
	} else {
		*node = *parsed.Content[0]
	}
	node.Line = line
	return nil
}
