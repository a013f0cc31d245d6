// Package inquiry asks etcd servers how they stand, again and again, on connections
// past all links: what backends know of members that are no part of this process.
package inquiry
