//go:build !unix

package offspring

// alive is true of all: nothing here says it without doubt.
func alive(int) bool { return true }
