package holdfast

import (
	"errors"
	"strings"
	"testing"
)

func TestWhichEtcdMembersRunIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		cluster string
		says    string // "" is that nothing is wrong
	}{
		"a version":             {"{kind: process, etcd: 3.5.12}", ""},
		"a binary":              {"{kind: process, etcd: /bin/sh}", ""},
		"one member older":      {"{kind: process, mixed: {m2: 3.5.12, m3: /bin/sh}}", ""},
		"not there":             {"{kind: process, etcd: /no/such/etcd}", "cluster.etcd: \"/no/such/etcd\" is neither a version, such as 3.5.12, nor a binary that can be run"},
		"no such member":        {"{kind: process, members: 3, mixed: {m4: 3.5.12}}", "cluster.mixed.m4: there is no such member, only [\"m1\" \"m2\" \"m3\"]"},
		"a member's, not there": {"{kind: process, mixed: {m1: etcd-of-nobody}}", "cluster.mixed.m1: \"etcd-of-nobody\" is neither"},
		"embedded":              {"{kind: embedded, etcd: 3.5.12}", "cluster.etcd: members of a cluster of kind embedded run the etcd that is built into holdfast; say kind: process"},
		"simulated":             {"{kind: sim, mixed: {m1: 3.5.12}}", "cluster.mixed: members of a cluster of kind sim run the etcd"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseScenario("x.yaml", []byte("name: x\nworkloads: [{subject: mutex}]\ncluster: "+c.cluster+"\n"))
			var mistakes *ScenarioError
			if c.says == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v\ndoes not say %s", err, c.says)
			}
		})
	}
}
