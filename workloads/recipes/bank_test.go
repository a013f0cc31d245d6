package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func forEachBank(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return s.NewBank != nil }, test)
}

func audit(t *testing.T, b workloads.Bank) (sum int64) {
	t.Helper()
	statement, err := b.Audit(testetcd.Within(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, balance := range statement.Balances {
		sum += balance
	}
	if len(statement.Balances) != workloads.Accounts {
		t.Errorf("there are %d accounts: %v", len(statement.Balances), statement.Balances)
	}
	return sum
}

func TestBankMovesAndRefuses(t *testing.T) {
	forEachBank(t, func(t *testing.T, subject workloads.Subject) {
		bank := subject.NewBank(testetcd.Open(t), testetcd.Prefix(t))
		if sum := audit(t, bank); sum != subject.WholeOf() {
			t.Errorf("an empty bank has %d", sum)
		}
		if _, err := bank.Transfer(testetcd.Within(t), workloads.Transfer{From: 0, To: 1, Amount: 60, Name: "a"}); err != nil {
			t.Fatal(err)
		}
		_, err := bank.Transfer(testetcd.Within(t), workloads.Transfer{From: 0, To: 1, Amount: 60, Name: "b"})
		if !errors.Is(err, workloads.ErrTooLittle) || !workloads.Certain(err) {
			t.Errorf("moved more than there is: %v", err)
		}
		statement, err := bank.Audit(testetcd.Within(t))
		if err != nil || fmt.Sprint(statement.Balances) != "[40 160 100 100 100]" {
			t.Errorf("the balances are %v (%v)", statement.Balances, err)
		}
	})
}

// Transfers of several clients at once keep the whole, but for the level that
// compares nothing.
func TestBankKeepsTheWhole(t *testing.T) {
	forEachBank(t, func(t *testing.T, subject workloads.Subject) {
		if subject.Promise == history.ReadCommitted {
			t.Skip("it does not promise that")
		}
		prefix := testetcd.Prefix(t)
		var clients sync.WaitGroup
		failed := make(chan error, 4)
		for c := range 4 {
			bank := subject.NewBank(testetcd.Open(t), prefix)
			clients.Go(func() {
				for i := range 15 {
					_, err := bank.Transfer(testetcd.Within(t), workloads.Transfer{From: (c + i) % 5, To: (c + i + 1 + i%4) % 5, Amount: 3, Name: fmt.Sprintf("%d-%d", c, i)})
					if err != nil && !errors.Is(err, workloads.ErrTooLittle) {
						failed <- err
						return
					}
				}
			})
		}
		clients.Wait()
		select {
		case err := <-failed:
			t.Fatal(err)
		default:
		}
		if sum := audit(t, subject.NewBank(testetcd.Open(t), prefix)); sum != subject.WholeOf() {
			t.Errorf("the accounts have %d together", sum)
		}
	})
}

func TestBankWithoutEtcdLeavesItUnknown(t *testing.T) {
	forEachBank(t, func(t *testing.T, subject workloads.Subject) {
		session := testetcd.Open(t)
		bank := subject.NewBank(session, testetcd.Prefix(t))
		audit(t, bank)
		ended, cancel := context.WithCancel(testetcd.Within(t))
		cancel()
		_, err := bank.Transfer(ended, workloads.Transfer{From: 0, To: 1, Amount: 1, Name: "a"})
		if err == nil || workloads.Certain(err) {
			t.Errorf("a transfer that was cut off: %v, want an error that is not certain", err)
		}
	})
}
