package workloads

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// Accounts is how many accounts a bank has, named "0", "1" and so on; Balance
// is what is in each at first.
const (
	Accounts = 5
	Balance  = 100
)

// ErrTooLittle is returned by Transfer if there is less in the account than
// should be taken from it. Nothing was moved.
var ErrTooLittle = errors.New("there is too little in the account")

// Transfer is an amount to move between two different accounts.
type Transfer struct {
	From, To int
	Amount   int64
	// Name is unique in the run. A bank with the layout AccountKeys writes it
	// into both accounts, in the transaction that moves the amount.
	Name string
}

// Statement is the balances of all accounts, as one transaction read them.
type Statement struct {
	Balances []int64
	// Revision is the store revision of the reply that ended the transaction,
	// zero if unknown.
	Revision int64
}

// Bank is accounts between which transactions move amounts. The caller need not
// open it: the first call does. Errors are as for Lock.
type Bank interface {
	// Transfer moves an amount in one transaction. It returns the revision that
	// the transaction made, zero if unknown, or ErrTooLittle.
	Transfer(ctx context.Context, t Transfer) (revision int64, err error)
	// Audit reads every account in one transaction.
	Audit(ctx context.Context) (Statement, error)
}

// auditShare is the share of a bank's rounds that audit, of a register's that
// read.
const auditShare = 0.4

// teller runs the rounds of one client of a bank. Its transactions leave
// nothing behind that others would wait for, so it keeps its session whatever
// becomes of them.
type teller struct {
	*crewMember
	session *session
	banks   map[string]Bank
	rounds  int
}

// bankOf returns the client's bank for an object in its present session.
func (t *teller) bankOf(s *session, object string) (Bank, error) {
	if t.session != s {
		t.session, t.banks = s, make(map[string]Bank)
	}
	if b, ok := t.banks[object]; ok {
		return b, nil
	}
	var made Bank
	wanted := history.Operation{Subject: t.subject.Name, Object: object, Kind: history.Audit, Lease: s.lease}
	err := t.construct(wanted, func() { made = t.subject.NewBank(&s.Session, t.env.Prefix+t.subject.Name+"/"+object) })
	if err == nil {
		t.banks[object] = made
	}
	return made, err
}

// round makes one transfer or audit, and stays idle for the time that it would
// have held a lock.
func (t *teller) round(d Decision) (bool, error) {
	s, err := t.live(t.ctx)
	if err != nil {
		return false, err
	}
	object := strconv.Itoa(d.Objects[0])
	bank, err := t.bankOf(s, object)
	if err == nil && d.Draw < auditShare {
		err = t.audit(s, bank, object, d)
	} else if err == nil {
		err = t.transfer(s, bank, object, d)
	}
	if errors.Is(err, errDead) {
		return false, err
	}
	sleep(t.ctx, d.Hold, t.env.Healed, nil)
	return err == nil || errors.Is(err, ErrTooLittle), nil
}

// transferOf chooses accounts and an amount by a number in [0, 1).
func transferOf(draw float64, name string) Transfer {
	n := int(draw * Accounts * (Accounts - 1) * 40)
	from, rest := n%Accounts, n/Accounts
	return Transfer{From: from, To: (from + 1 + rest%(Accounts-1)) % Accounts, Amount: int64(1 + rest/(Accounts-1)), Name: name}
}

func (t *teller) transfer(s *session, bank Bank, object string, d Decision) error {
	wanted := transferOf(d.Choice, t.value())
	op := history.Operation{
		Subject: t.subject.Name, Object: object, Kind: history.Transfer, Lease: s.lease, Number: wanted.Amount,
		Value: fmt.Sprintf("%d %d %s", wanted.From, wanted.To, wanted.Name),
	}
	ctx, cancel, deadline := t.within(t.patience(d))
	defer cancel()
	op.Deadline = deadline
	_, err := t.attempt(op, func(done *history.Completion) (err error) {
		done.Revision, err = bank.Transfer(ctx, wanted)
		return err
	})
	return err
}

func (t *teller) audit(s *session, bank Bank, object string, d Decision) error {
	op := history.Operation{Subject: t.subject.Name, Object: object, Kind: history.Audit, Lease: s.lease}
	ctx, cancel, deadline := t.within(t.patience(d))
	defer cancel()
	op.Deadline = deadline
	_, err := t.attempt(op, func(done *history.Completion) error {
		statement, err := bank.Audit(ctx)
		var texts []string
		for _, balance := range statement.Balances {
			done.Number += balance
			texts = append(texts, strconv.FormatInt(balance, 10))
		}
		done.Value, done.Revision = strings.Join(texts, " "), statement.Revision
		return err
	})
	return err
}

// last makes a transfer and then an audit of every object, each retried until
// it went well or ctx ends.
func (t *teller) last(ctx context.Context) error {
	return t.eachObject(ctx, func(d Decision) (bool, error) {
		t.rounds++
		d.Draw, d.Choice = 1, Stream(int64(t.rounds), t.Name).Float64()
		if well, err := t.round(d); !well || err != nil {
			return well, err
		}
		d.Draw = 0
		return t.round(d)
	})
}

// perform does a step of a script: transfer or audit.
func (t *teller) perform(s *session, step Step) error {
	bank, err := t.bankOf(s, step.Object)
	if err != nil {
		return err
	}
	d := step.decision()
	if step.Verb == "audit" {
		return t.audit(s, bank, step.Object, d)
	}
	t.rounds++
	d.Choice = Stream(int64(t.rounds), t.Name).Float64()
	return t.transfer(s, bank, step.Object, d)
}
