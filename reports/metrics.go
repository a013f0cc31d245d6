package reports

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// durationBuckets bound how long calls take, in seconds.
var durationBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics is metrics.prom: the run in Prometheus' text format, for the textfile
// collector of a node exporter or a push gateway. Durations are in seconds of the
// run's clock. The same run gives the same bytes.
//
//	holdfast_run_info{scenario,seed,cluster,etcd,holdfast}      1
//	holdfast_run_start_time_seconds, holdfast_run_duration_seconds, holdfast_run_exit_code
//	holdfast_property_verdict{subject,property,verdict}         1
//	holdfast_violations{subject,property,blame,known}           how many
//	holdfast_figure{subject,property,figure}                    as in verdict.json
//	holdfast_operations_total{subject,operation,outcome}        outcome: ok, fail, info, pending
//	holdfast_operation_duration_seconds{subject,operation}      a histogram of completed calls
//	holdfast_faults_total{fault,verified}                       injected
//	holdfast_faults_missed_total{fault,why}                     why: unfired (its moment never came), uninjected
//	holdfast_faults_unhealed_total{fault}
//	holdfast_members_ended_total{member,explained}              not by the run; explained: by a fault
func Metrics(r *Report) ([]byte, error) {
	m := newMetrics()
	m.ofRun(r)
	for i := range r.result().Properties {
		m.ofProperty(&r.result().Properties[i])
	}
	m.ofHistory(r.history())
	for _, e := range r.result().Ends {
		m.ended.WithLabelValues(visible(e.Member), strconv.FormatBool(e.Fault != "")).Inc()
	}
	families, err := m.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather the metrics: %w", err)
	}
	var b bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// metrics are those of one run.
type metrics struct {
	registry                            *prometheus.Registry
	info, verdicts, violations, figures *prometheus.GaugeVec
	operations, faults                  *prometheus.CounterVec
	missed, unhealed, ended             *prometheus.CounterVec
	durations                           *prometheus.HistogramVec
	start, length, exit                 prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "holdfast", Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "holdfast", Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	m.info = gauge("run_info", "The run; always 1.", "scenario", "seed", "cluster", "etcd", "holdfast")
	m.start = gauge("run_start_time_seconds", "When the run started, in seconds since 1970.").WithLabelValues()
	m.length = gauge("run_duration_seconds", "How long the run lasted.").WithLabelValues()
	m.exit = gauge("run_exit_code", "0 all properties hold, 1 violated, 2 unknown or vacuous.").WithLabelValues()
	m.verdicts = gauge("property_verdict", "The verdict on a property of a subject; always 1.", "subject", "property", "verdict")
	m.violations = gauge("violations", "How often a property was violated.", "subject", "property", "blame", "known")
	m.figures = gauge("figure", "What was measured; the unit is at the end of the figure's name.", "subject", "property", "figure")
	m.operations = counter("operations_total", "Calls of clients.", "subject", "operation", "outcome")
	m.faults = counter("faults_total", "Faults that were injected, and whether their effect was seen.", "fault", "verified")
	m.missed = counter("faults_missed_total", "Planned faults that were not injected.", "fault", "why")
	m.unhealed = counter("faults_unhealed_total", "Faults that could not be healed.", "fault")
	m.ended = counter("members_ended_total", "Members that died though the run had not ended them.", "member", "explained")
	m.durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "holdfast", Name: "operation_duration_seconds", Help: "How long completed calls took.", Buckets: durationBuckets,
	}, []string{"subject", "operation"})
	m.registry.MustRegister(m.durations)
	return m
}

func (m *metrics) ofRun(r *Report) {
	m.info.WithLabelValues(visible(r.Scenario), strconv.FormatInt(r.Seed, 10), visible(r.ClusterKind), visible(r.EtcdVersion), visible(r.HoldfastVersion)).Set(1)
	if !r.Started.IsZero() {
		m.start.Set(float64(r.Started.UnixMilli()) / 1000)
	}
	m.length.Set(r.history().End.Seconds())
	m.exit.Set(float64(r.result().Exit))
}

func (m *metrics) ofProperty(p *checker.Property) {
	subject, property := visible(subjectName(p.Subject)), visible(p.Property)
	m.verdicts.WithLabelValues(subject, property, visible(string(p.Verdict))).Set(1)
	for i := range p.Violations {
		m.violations.WithLabelValues(subject, property, visible(string(p.Violations[i].Blame)), visible(p.Violations[i].Known)).Inc()
	}
	for name, value := range p.Figures {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			m.figures.WithLabelValues(subject, property, visible(name)).Set(value)
		}
	}
}

func (m *metrics) ofHistory(h *history.History) {
	type kind struct{ subject, operation string }
	durations := map[kind]prometheus.Observer{}
	outcomes := map[kind]map[history.Outcome]int{}
	for i := range h.Operations {
		op := &h.Operations[i]
		k := kind{op.Subject, string(op.Kind)}
		if outcomes[k] == nil {
			outcomes[k] = map[history.Outcome]int{}
			durations[k] = m.durations.WithLabelValues(visible(subjectName(op.Subject)), visible(string(op.Kind)))
		}
		outcomes[k][op.Outcome]++
		if op.Completed() {
			durations[k].Observe((op.Return - op.Call).Seconds())
		}
	}
	for k, counts := range outcomes {
		for outcome, n := range counts {
			if outcome == "" {
				outcome = "pending"
			}
			m.operations.WithLabelValues(visible(subjectName(k.subject)), visible(k.operation), visible(string(outcome))).Add(float64(n))
		}
	}
	for i := range h.Faults {
		f := &h.Faults[i]
		var c faultCounts
		c.count(f)
		kind := visible(f.Kind)
		switch {
		case c.unfired > 0:
			m.missed.WithLabelValues(kind, "unfired").Inc()
		case c.uninjected > 0:
			m.missed.WithLabelValues(kind, "uninjected").Inc()
		default:
			m.faults.WithLabelValues(kind, strconv.FormatBool(f.Verified)).Inc()
		}
		if c.unhealed > 0 {
			m.unhealed.WithLabelValues(kind).Inc()
		}
	}
}
