package history

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// nodeKind is the kind of a form.
type nodeKind uint8

const (
	nilNode nodeKind = iota
	integerNode
	// textNode is a scalar that is its own text: a string in its quotes, a
	// keyword, a symbol, a number with a point, a character.
	textNode
	// sequenceNode is a vector or a list: they are equal if their elements are.
	sequenceNode
	mapNode
	setNode
	tagNode
)

// node is a form. Those inside it follow it.
type node struct {
	kind    nodeKind
	integer int64
	// from and to bound the text, or the tag, in forms.text.
	from, to int
	// count is the number of forms directly inside, next the index of the node
	// after the last of all inside.
	count, next int
}

// forms holds forms that were read.
type forms struct {
	nodes []node
	text  []byte
}

func (f *forms) reset() { f.nodes, f.text = f.nodes[:0], f.text[:0] }

// textOf returns the text of a scalar.
func (f *forms) textOf(k int) []byte { return f.text[f.nodes[k].from:f.nodes[k].to] }

// pair returns the two elements of a sequence of two.
func (f *forms) pair(k int) (first, second int, ok bool) {
	if k < 0 || f.nodes[k].kind != sequenceNode || f.nodes[k].count != 2 {
		return 0, 0, false
	}
	return k + 1, f.nodes[k+1].next, true
}

// canonical appends the text of a form: that of two forms is the same if they
// are equal.
func (f *forms) canonical(to []byte, k int) []byte {
	n := &f.nodes[k]
	switch n.kind {
	case nilNode:
		return append(to, "nil"...)
	case integerNode:
		return strconv.AppendInt(to, n.integer, 10)
	case textNode:
		return append(to, f.textOf(k)...)
	case tagNode:
		to = append(append(append(to, '#'), f.textOf(k)...), ' ')
		return f.canonical(to, k+1)
	case sequenceNode:
		to = append(to, '[')
		for i, child := 0, k+1; i < n.count; i, child = i+1, f.nodes[child].next {
			if i > 0 {
				to = append(to, ' ')
			}
			to = f.canonical(to, child)
		}
		return append(to, ']')
	}
	// Maps and sets have no order.
	var parts [][]byte
	for i, child := 0, k+1; i < n.count; i, child = i+1, f.nodes[child].next {
		part := f.canonical(nil, child)
		if n.kind == mapNode && i%2 == 1 {
			last := &parts[len(parts)-1]
			*last = append(append(*last, ' '), part...)
			continue
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, bytes.Compare)
	if n.kind == setNode {
		to = append(to, '#')
	}
	return append(append(append(to, '{'), bytes.Join(parts, []byte{' '})...), '}')
}

// form reads one form into s.forms and returns its index.
func (s *scanner) form(depth int) (int, error) {
	k := len(s.forms.nodes)
	return k, s.read(depth, true)
}

// skip reads one form and forgets it.
func (s *scanner) skip(depth int) error { return s.read(depth, false) }

// read reads one form; keep says whether it becomes a node.
func (s *scanner) read(depth int, keep bool) error {
	c, err := s.next(depth)
	if err != nil {
		return err
	}
	switch {
	case c == '[':
		return s.collection(sequenceNode, ']', depth, keep)
	case c == '(':
		return s.collection(sequenceNode, ')', depth, keep)
	case c == '{':
		return s.collection(mapNode, '}', depth, keep)
	case c == '"':
		from := len(s.forms.text)
		if s.forms.text, err = s.quoted(s.forms.text, keep); err == nil && keep {
			s.leaf(from)
		}
		return err
	case c == '#':
		return s.dispatch(depth, keep)
	case c == '\\':
		return s.character(keep)
	case c == '@' || c == '^' || c == '`' || c == '~' || c == -1 || ednClass[byte(c)] != 0:
		return s.unexpected("a value")
	}
	at := s.place()
	return s.atom(at, s.token(), keep)
}

// leaf makes a node of the text from an index on.
func (s *scanner) leaf(from int) {
	s.node(node{kind: textNode, from: from, to: len(s.forms.text)})
}

// node adds a node that has none inside.
func (s *scanner) node(n node) {
	n.next = len(s.forms.nodes) + 1
	s.forms.nodes = append(s.forms.nodes, n)
}

func (s *scanner) collection(kind nodeKind, closing byte, depth int, keep bool) error {
	if depth >= deepest {
		return s.tooDeep()
	}
	began := s.place()
	opening := s.buf[s.pos]
	s.pos++
	k := len(s.forms.nodes)
	if keep {
		s.forms.nodes = append(s.forms.nodes, node{kind: kind})
	}
	count := 0
	for {
		c, err := s.next(depth)
		if err != nil {
			return err
		}
		if c == int(closing) {
			break
		}
		if c == -1 {
			return s.fault(s.place(), fmt.Sprintf("%c for the %c of line %d, column %d", closing, opening, began.line, began.column), s.limit)
		}
		if c == ')' || c == ']' || c == '}' {
			return s.unexpected(fmt.Sprintf("%c for the %c of line %d, column %d", closing, opening, began.line, began.column))
		}
		if err := s.read(depth+1, keep); err != nil {
			return err
		}
		count++
	}
	if kind == mapNode && count%2 == 1 {
		return s.unexpected("a value for the last key of the map")
	}
	s.pos++
	if keep {
		n := &s.forms.nodes[k]
		n.count, n.next = count, len(s.forms.nodes)
	}
	return nil
}

// dispatch reads a form that begins with #: a set, a symbolic number, a
// pattern, or a tag and what it is on.
func (s *scanner) dispatch(depth int, keep bool) error {
	if depth >= deepest {
		return s.tooDeep()
	}
	from := len(s.forms.text)
	switch c := s.second(); {
	case c == '{':
		s.pos++
		return s.collection(setNode, '}', depth, keep)
	case c == '"':
		s.pos++
		return s.pattern(keep)
	case c == '#':
		text := s.token()
		if keep {
			s.forms.text = append(s.forms.text, text...)
			s.leaf(from)
		}
		return nil
	case c == 0 || ednClass[c] != 0:
		s.pos++
		return s.unexpected("a tag after #")
	}
	s.pos++
	tag := s.token()
	k := len(s.forms.nodes)
	if keep {
		s.forms.text = append(s.forms.text, tag...)
		s.forms.nodes = append(s.forms.nodes, node{kind: tagNode, count: 1, from: from, to: len(s.forms.text)})
	}
	if err := s.read(depth+1, keep); err != nil {
		return err
	}
	if keep {
		s.forms.nodes[k].next = len(s.forms.nodes)
	}
	return nil
}

// pattern reads a regular expression as Clojure prints it: its backslashes are
// its own.
func (s *scanner) pattern(keep bool) error {
	began := s.place()
	from := len(s.forms.text)
	if keep {
		s.forms.text = append(s.forms.text, '#')
	}
	for escaped, first := false, true; ; first = false {
		if s.pos == s.end && !s.fill(s.pos) {
			return s.fault(began, "a pattern with its closing quote", s.limit)
		}
		c := s.buf[s.pos]
		s.pos++
		if c == '\n' {
			s.newline()
		}
		if keep {
			s.forms.text = append(s.forms.text, c)
		}
		if c == '"' && !escaped && !first {
			break
		}
		escaped = c == '\\' && !escaped
	}
	if keep {
		s.leaf(from)
	}
	return nil
}

// character reads \a, \newline, \( and the like.
func (s *scanner) character(keep bool) error {
	c := s.second()
	if s.pos+1 >= s.end || c == '\n' {
		s.pos = min(s.pos+1, s.end)
		return s.unexpected("a character after the backslash")
	}
	from := len(s.forms.text)
	s.pos += 2 // whatever it is, it belongs to the character
	rest := s.token()
	if keep {
		s.forms.text = append(append(append(s.forms.text, '\\'), c), rest...)
		s.leaf(from)
	}
	return nil
}

// atom reads nil, a number, a keyword or a symbol.
func (s *scanner) atom(at place, token []byte, keep bool) error {
	c := token[0]
	signed := (c == '-' || c == '+') && len(token) > 1
	if '0' <= c && c <= '9' || signed && '0' <= token[1] && token[1] <= '9' {
		return s.number(at, token, keep)
	}
	if c == ':' && len(token) == 1 {
		return s.fault(at, "a keyword", "a lone colon")
	}
	if !keep {
		return nil
	}
	if string(token) == "nil" {
		s.node(node{kind: nilNode})
		return nil
	}
	from := len(s.forms.text)
	s.forms.text = append(s.forms.text, token...)
	s.leaf(from)
	return nil
}
