// Package exact decides whether a history of calls keeps a sequential
// specification: whether it is linearizable. There is one file for each kind
// of object, with an algorithm that is exact and near-linear for it; frontier.go
// is the general search for what is left.
//
// The functions are pure: calls of one object in, a violation out. Every
// violation has a witness, the calls that prove it by themselves: those calls
// alone, judged again by an independent checker, are a violation too.
//
// A call that is Unknown may have taken effect at any position from its
// invocation on, or never. Calls that certainly had no effect are not part of
// a history, unless their refusal tells something about the state.
package exact
