package workloads

import "testing"

func TestStacksOfTheSameCallsAreTheSame(t *testing.T) {
	stack := func(goroutine, address string) string {
		return "goroutine " + goroutine + " [running, synctest bubble " + goroutine + "]:\n" +
			"recipes.(*Queue).Dequeue(" + address + ")\n\t/recipes/queue.go:70 +0x1ef\n" +
			"workloads.(*Client).attempt(_, {" + address + ", {0x0, 0x0}}, func(...))\n\t/client.go:272 +0x298\n" +
			"workloads.serve.func1()\n\t/crew.go:3 +0xac\n" +
			"created by workloads.fill in goroutine " + goroutine + "\n\t/crew.go:214 +0x445\n"
	}
	want := "goroutine:\nrecipes.(*Queue).Dequeue(...)\n\t/recipes/queue.go:70 +0x1ef\n" +
		"workloads.(*Client).attempt(...)\n\t/client.go:272 +0x298\nworkloads.serve.func1()\n\t/crew.go:3 +0xac\n" +
		"created by workloads.fill in goroutine\n\t/crew.go:214 +0x445\n"
	for _, s := range []string{stack("7", "0xc000123"), stack("12", "0xc000999")} {
		if got := string(plainStack([]byte(s))); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
