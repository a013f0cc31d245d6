package holdfast

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
	"github.com/etcd-holdfast/holdfast/workloads"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate reports everything that is wrong with the scenario, as a
// *ScenarioError, or nil.
func (s *Scenario) Validate() error {
	if mistakes := s.mistakes(); len(mistakes) > 0 {
		return &ScenarioError{Source: "scenario " + s.Name, Mistakes: mistakes}
	}
	return nil
}

func (s *Scenario) mistakes() []Mistake {
	var mistakes []Mistake
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, Mistake{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if !nameForm.MatchString(s.Name) {
		wrong("name", "%q is not a name of up to 64 letters, digits, dots, dashes and underscores", s.Name)
	}
	if s.Duration < time.Second || s.Duration > 24*time.Hour {
		wrong("duration", "%v is not between 1s and 24h", s.Duration)
	}
	if s.Quiet < time.Second || s.Quiet > time.Hour {
		wrong("quiet", "%v is not between 1s and 1h", s.Quiet)
	}
	if s.Expect.Grace <= 0 {
		wrong("expect.grace", "%v is not more than zero", s.Expect.Grace)
	}
	if s.Expect.DeadlineGrace <= 0 {
		wrong("expect.deadline-grace", "%v is not more than zero", s.Expect.DeadlineGrace)
	}
	if s.Expect.NoticeLimit < 0 {
		wrong("expect.notice-limit", "%v is negative", s.Expect.NoticeLimit)
	}
	var issues []string
	for _, k := range checker.KnownIssues() {
		issues = append(issues, k.Issue)
	}
	if s.Expect.Known != nil {
		for i, issue := range *s.Expect.Known {
			if !slices.Contains(issues, issue) {
				wrong(fmt.Sprintf("expect.known[%d]", i), "%q is not an issue that holdfast recognises; these are: %s", issue, strings.Join(issues, ", "))
			}
		}
	}
	s.reproductionMistakes(issues, wrong)
	s.clusterMistakes(wrong)
	s.clientMistakes(wrong)
	s.workloadMistakes(wrong)
	s.faultMistakes(wrong)
	return mistakes
}

// reproductionMistakes judges what the run is there to show.
func (s *Scenario) reproductionMistakes(issues []string, wrong complain) {
	var subjects []string
	for _, w := range s.Workloads {
		subjects = append(subjects, w.Subject)
	}
	for i, name := range s.Expect.Damage {
		switch subject, _ := s.subject(name); {
		case !slices.Contains(subjects, name):
			wrong(fmt.Sprintf("expect.damage[%d]", i), "%q has no workload; these have: %s", name, strings.Join(subjects, ", "))
		case !subject.Protects() && !slices.ContainsFunc(s.Workloads, func(w Workload) bool { return w.Subject == name && w.Pipe != "" }):
			wrong(fmt.Sprintf("expect.damage[%d]", i), "%s protects no resource that could come to harm", name)
		}
	}
	switch fixed := s.Expect.Fixed; {
	case fixed == "":
	case !etcdbuild.IsVersion(fixed):
		wrong("expect.fixed", "%q is no version of etcd; one is, for example, 3.5.13", fixed)
	case !etcdbuild.IsVersion(s.Cluster.Etcd) || len(s.Expect.Reproduces) == 0:
		wrong("expect.fixed", "it is for what expect.reproduces names on a version in cluster.etcd, and there is none")
	}
	for _, subject := range slices.Sorted(maps.Keys(s.Expect.Reproduces)) {
		if !slices.Contains(subjects, subject) {
			wrong("expect.reproduces", "%q has no workload; these have: %s", subject, strings.Join(subjects, ", "))
		}
		if len(s.Expect.Reproduces[subject]) == 0 {
			wrong("expect.reproduces", "it names no defect of %s; these can be found: %s", subject, strings.Join(issues, ", "))
		}
		for _, known := range s.Expect.Reproduces[subject] {
			switch {
			case !slices.Contains(issues, known):
				wrong("expect.reproduces", "%q of %s is no defect that holdfast recognises; these are: %s", known, subject, strings.Join(issues, ", "))
			case s.Expect.Known != nil && !slices.Contains(*s.Expect.Known, known):
				wrong("expect.reproduces", "%q of %s is to be found, and expect.known does not accept it as known", known, subject)
			}
		}
	}
}

type complain func(field, format string, args ...any)

func (s *Scenario) clusterMistakes(wrong complain) {
	b, ok := backendOf(s.Cluster.Kind)
	if !ok {
		wrong("cluster.kind", "there is no kind of cluster %q; there are %s", s.Cluster.Kind, strings.Join(ClusterKinds(), ", "))
		return
	}
	if login, _ := s.Cluster.login(); login.User != "" && s.piped() {
		wrong("cluster.user", "programs (pipe) are not told of users and passwords: they can be put to the test on a cluster that asks for none")
	}
	for _, m := range b.mistakes(s.Cluster) {
		wrong("cluster."+m.Field, "%s", m.Message)
	}
	if s.Cluster.Sim == nil {
		return
	}
	slots := s.slots()
	for _, slot := range slices.Sorted(maps.Keys(s.Cluster.Sim.Clocks)) {
		if len(slots) > 0 && !slices.Contains(slots, slot) {
			wrong("cluster.sim.clocks."+slot, "there is no client %q; there are %s to %s", slot, slots[0], slots[len(slots)-1])
		}
	}
}

func (s *Scenario) workloadMistakes(wrong complain) {
	if len(s.Workloads) == 0 {
		wrong("workloads", "there is none; a scenario needs at least one, such as - {subject: mutex}")
	}
	s.subjectMistakes(wrong)
	seen := make(map[string]bool)
	smallest := s.smallestTTL()
	for i := range s.Workloads {
		w := &s.Workloads[i]
		field := fmt.Sprintf("workloads[%d]", i)
		subject, ok := s.subject(w.Subject)
		unasked := w.Pipe != "" && !ok // a program says what it is when the run begins
		s.pipeMistakes(field, w, wrong)
		if !ok && !unasked {
			wrong(field+".subject", "there is no subject %q; see: holdfast list subjects", w.Subject)
		}
		if subject.Connection && s.Cluster.Kind == simulated {
			wrong(field+".subject", "%s calls a service of etcd's over its connection, which a cluster of kind %s does not have (embedded has)", w.Subject, s.Cluster.Kind)
		}
		if seen[w.Subject] {
			wrong(field+".subject", "%q has a workload already; two would share its keys", w.Subject)
		}
		seen[w.Subject] = true
		if unasked {
			continue
		}
		for _, f := range w.Traffic.Mistakes(subject.Primitive()) {
			wrong(field+"."+f.Field, "%v", f.Err)
		}
		s.roundMistakes(i, wrong)
		for j, line := range w.Script {
			step, err := workloads.ParseStep(subject.Primitive(), strings.ReplaceAll(line, "#", "1"))
			if err != nil || step.Awaited() == "" {
				continue
			}
			if err := awaitable(step.Awaited()); err != nil {
				wrong(fmt.Sprintf("%s.script[%d]", field, j), "%v", err)
			}
		}
		// After the heal a dead holder's lease has to run out before its waiters'
		// last round can end.
		if least := w.TTL + 5*time.Second; len(s.Faults)+len(s.Survivable) > 0 && s.Quiet < least {
			wrong("quiet", "%v is too short for sessions of %v to run out and clients to finish: it has to be %v or more", s.Quiet, w.TTL, least)
		}
		if w.TTL >= time.Second && w.TTL < smallest && !s.Cluster.shared() { // whose timeout is not known yet
			wrong(field+".ttl", "%v is less than the smallest that etcd honours with this election timeout, %v: it would silently be raised", w.TTL, smallest)
		}
	}
}

// subjectMistakes judges the caller's own subjects.
func (s *Scenario) subjectMistakes(wrong complain) {
	if len(s.Subjects) == 0 {
		return
	}
	taken := map[string]bool{
		strings.TrimSuffix(workloads.LeasePrefix, "/"): true,
		strings.TrimSuffix(workloads.GuardPrefix, "/"): true,
		"end": true, claimKey: true, faults.CompactKey: true, strings.TrimSuffix(faults.LoadKey, "/"): true,
	}
	for _, subject := range AllSubjects() {
		taken[subject.Name] = true
	}
	for i := range s.Subjects {
		subject := &s.Subjects[i]
		field := fmt.Sprintf("Subjects[%d]", i)
		if !nameForm.MatchString(subject.Name) {
			wrong(field+".Name", "%q is not a name of up to 64 letters, digits, dots, dashes and underscores", subject.Name)
		}
		if taken[subject.Name] {
			wrong(field+".Name", "%q is the name of something else", subject.Name)
		}
		taken[subject.Name] = true
		constructors := 0
		for _, set := range []bool{
			subject.NewLock != nil, subject.NewRWLock != nil, subject.NewElection != nil,
			subject.NewSemaphore != nil, subject.NewService != nil, subject.NewBank != nil, subject.NewRegister != nil,
			subject.NewQueue != nil, subject.NewPriorityQueue != nil, subject.NewBarrier != nil, subject.NewDoubleBarrier != nil,
		} {
			if set {
				constructors++
			}
		}
		if constructors != 1 {
			wrong(field, "%q has %d of the constructors, such as NewLock, NewRWLock and NewElection; it needs one", subject.Name, constructors)
		}
		switch subject.Layout {
		case history.NoLayout:
		case history.OldestKey:
			if of := history.LayoutOf(subject.Primitive()); of != history.NoLayout {
				wrong(field+".Layout", "%q is of locks and elections; a %s can have %q", subject.Layout, subject.Primitive(), of)
			}
		case history.ReadWriteKeys:
			if subject.NewRWLock == nil {
				wrong(field+".Layout", "%q is of read-write locks, and %q is none", subject.Layout, subject.Name)
			}
		case history.ItemKeys, history.BarrierKeys, history.MemberKeys:
			if subject.Layout != history.LayoutOf(subject.Primitive()) {
				wrong(field+".Layout", "%q is not of a %s", subject.Layout, subject.Primitive())
			}
		case history.OldestKeys:
			if subject.NewSemaphore == nil {
				wrong(field+".Layout", "%q is of semaphores, and %q is none", subject.Layout, subject.Name)
			}
		case history.AccountKeys:
			if subject.NewBank == nil {
				wrong(field+".Layout", "%q is of banks, and %q is none", subject.Layout, subject.Name)
			}
		case history.OneKey:
			if subject.NewRegister == nil {
				wrong(field+".Layout", "%q is of registers, and %q is none", subject.Layout, subject.Name)
			}
		default:
			wrong(field+".Layout", "there is no layout %q", subject.Layout)
		}
	}
}

// smallestTTL is etcd's: 1.5 election timeouts, in whole seconds rounded up.
func (s *Scenario) smallestTTL() time.Duration {
	return (s.Cluster.Election*3/2 + time.Second - 1) / time.Second * time.Second
}

func (s *Scenario) faultMistakes(wrong complain) {
	s.hookMistakes(wrong)
	capabilities := s.capabilities()
	if s.Missing != "" && s.Missing != SkipMissing {
		wrong("missing", "%q is not %q, which leaves out what the cluster cannot have", s.Missing, SkipMissing)
	}
	s.survivableMistakes(capabilities, wrong)
	for i, f := range s.Faults {
		field := fmt.Sprintf("faults[%d]", i)
		if len(f.Of) == 0 && s.Missing == SkipMissing {
			continue // all of it was left out
		}
		if len(f.Of) == 0 {
			wrong(field+".of", "it names no fault; see: holdfast list faults")
		}
		for j, name := range f.Of {
			kind, ok := faults.Named(name)
			if !ok {
				wrong(fmt.Sprintf("%s.of[%d]", field, j), "there is no fault %q; see: holdfast list faults", name)
				continue
			}
			if err := kind.Unsupported(capabilities); err != nil {
				wrong(fmt.Sprintf("%s.of[%d]", field, j), "%s: %v", name, err)
			}
		}
		if err := f.For.Validate(); err != nil {
			wrong(field+".for", "%v", err)
		}
		if f.Peace < 0 {
			wrong(field+".peace", "%v is negative", f.Peace)
		}
		switch {
		case f.At != nil:
			s.pinnedMistakes(field, f, wrong)
		case f.When == nil:
			s.timedMistakes(field, f, wrong)
		default:
			s.triggeredMistakes(field, f, capabilities, wrong)
		}
		s.fixedMistakes(field, f, wrong)
		s.chainMistakes(i, wrong)
	}
}

// survivableMistakes refuses what need not leave a majority of the members, or
// may leave clients with a member that cannot serve them.
func (s *Scenario) survivableMistakes(capabilities faults.Capabilities, wrong complain) {
	var fit []string
	for _, k := range faults.Kinds() {
		if k.Downs > 0 {
			fit = append(fit, k.Name)
		}
	}
	downs := 0
	var before []string
	for i, text := range s.Survivable {
		field := fmt.Sprintf("survivable[%d]", i)
		name, _, err := survivor(text)
		kind, ok := faults.Named(name)
		if hook, is := strings.CutPrefix(name, faults.HookPrefix); is {
			kind.Downs = s.Hooks[hook].Downs
		}
		if err != nil {
			wrong(field, "%v", err)
		}
		switch {
		case !ok:
			wrong(field, "there is no fault %q; see: holdfast list faults", name)
			continue
		case kind.Downs == 0:
			wrong(field, "%s need not leave a state in which every client can go on; there is %s, and hooks whose downs says how many members they take out", name, strings.Join(fit, ", "))
			continue
		case slices.Contains(before, name):
			wrong(field, "%s is there already, and hits one at a time", name)
		}
		before = append(before, name)
		if err := kind.Unsupported(capabilities); err != nil {
			wrong(field, "%s: %v", name, err)
		}
		if downs += kind.Downs; 2*downs >= s.Cluster.Members {
			wrong(field, "with %d of %d members down there is no majority: nothing could go on", downs, s.Cluster.Members)
		}
	}
}

func (s *Scenario) timedMistakes(field string, f Fault, wrong complain) {
	if err := f.Every.Validate(); err != nil {
		wrong(field+".every", "%v", err)
	} else if f.Every.Max < 10*time.Millisecond {
		wrong(field+".every", "%v is too often; the least is 10ms", f.Every)
	}
	if f.Times != 0 {
		wrong(field+".times", "it belongs to a fault with when; a timed one repeats as long as there is time")
	}
	if f.Rest.Max != 0 {
		wrong(field+".rest", "it belongs to a fault with when; a timed one rests by its every")
	}
	if f.Until != "" {
		wrong(field+".until", "it belongs to a fault with when, whose clients' event it is; a timed one lasts for its time")
	}
}
