package browse

import (
	"embed"
	"html/template"
)

//go:embed pages/*.tmpl
var pageSources embed.FS

//go:embed style.css
var styleSource []byte

//go:embed icon.svg
var iconSource []byte

var pages = template.Must(template.New("").Funcs(functions).ParseFS(pageSources, "pages/*.tmpl"))
