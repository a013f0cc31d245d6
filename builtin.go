package holdfast

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed scenarios/*.yaml
var scenarioFiles embed.FS

// DefaultScenario is the name of the scenario that runs when none is named.
const DefaultScenario = "quick"

// BuiltinScenarios returns the names of the built-in scenarios.
func BuiltinScenarios() []string {
	entries, err := scenarioFiles.ReadDir("scenarios")
	if err != nil { // embedded: it is there
		panic(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// BuiltinScenario returns a built-in scenario by name, with assignments as for
// ParseScenario.
func BuiltinScenario(name string, assignments ...string) (Scenario, error) {
	text, err := scenarioFiles.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		return Scenario{}, fmt.Errorf("there is no built-in scenario %q; there are %s", name, strings.Join(BuiltinScenarios(), ", "))
	}
	return ParseScenario(name+".yaml (built in)", text, assignments...)
}
