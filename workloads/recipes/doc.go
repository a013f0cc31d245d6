// Package recipes has etcd's own primitives as subjects: those of
// client/v3/concurrency and client/v3/experimental/recipes, called as their
// documentation says and otherwise left alone, and two corrected twins whose
// only difference is one read of the own key before success is reported.
//
// Beside them are etcd's lock and election services over gRPC, software
// transactional memory at each isolation level, plain keys, and two things that
// people build on etcd and that it does not have: a semaphore and a leader's
// loop, both written as they should be.
//
// Each subject is named after etcd's type; the twins end in "-checked".
package recipes
