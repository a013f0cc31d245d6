package holdfast

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed scenarios/*.yaml scenarios/*/*.yaml
var scenarioFiles embed.FS

// DefaultScenario is the name of the scenario that runs when none is named.
const DefaultScenario = "quick"

// BuiltinScenarios returns the names of the built-in scenarios. Those of a
// catalogue begin with its name and "/".
func BuiltinScenarios() []string {
	var names []string
	// WalkDir goes in lexical order; the files are embedded: they are there.
	err := fs.WalkDir(scenarioFiles, "scenarios", func(path string, entry fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(path, ".yaml"); ok && err == nil {
			names = append(names, strings.TrimPrefix(name, "scenarios/"))
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	return names
}

// BuiltinScenario returns a built-in scenario by name, with assignments as for
// ParseScenario.
func BuiltinScenario(name string, assignments ...string) (Scenario, error) {
	text, err := scenarioFiles.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		plain := slices.DeleteFunc(BuiltinScenarios(), func(name string) bool { return strings.Contains(name, "/") })
		return Scenario{}, fmt.Errorf("there is no built-in scenario %q; there are %s, and more: holdfast list scenarios", name, strings.Join(plain, ", "))
	}
	return ParseScenario(name+".yaml (built in)", text, assignments...)
}
