// Makes a database of grype's, schema 6, of OSV records: `db FOLDER RECORD...`. Each record is filed by its id, as grype files
// advisories of GitHub's, and its aliases are beside it.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"
	"github.com/anchore/grype/grype/db/v6/name"
	"github.com/anchore/syft/syft/pkg"
	"github.com/spf13/afero"
)

type record struct {
	ID       string
	Summary  string
	Aliases  []string
	Affected []struct {
		Package  struct{ Ecosystem, Name string }
		Versions []string
		Ranges   []struct{ Events []map[string]string }
	}
}

// Ecosystems of OSV: the type of package that grype has for it, and the kind of its versions.
var ecosystems = map[string]struct {
	of       pkg.Type
	versions string
}{
	"crates.io": {pkg.RustPkg, "semver"},
	"Go":        {pkg.GoModulePkg, "go"},
	"npm":       {pkg.NpmPkg, "npm"},
	"PyPI":      {pkg.PythonPkg, "python"},
}

func main() {
	log.SetFlags(0)
	folder := os.Args[1]
	must(os.MkdirAll(folder, 0o755))
	store, err := v6.NewWriter(v6.Config{DBDirPath: folder})
	must(err)
	must(store.SetDBMetadata())
	captured := time.Now().UTC()
	provider := v6.Provider{ID: "github", Version: "1", Processor: "assay", DateCaptured: &captured}
	for _, path := range os.Args[2:] {
		write(store, read(path), &provider)
	}
	must(store.Close())
	// A store that is closed has no indexes, for less to send; grype makes them when it imports one.
	must(v6.Hydrater()(folder))
	_, err = v6.WriteImportMetadata(afero.NewOsFs(), folder, "assay")
	must(err)
	log.Printf("%d records in %s", len(os.Args)-2, filepath.Join(folder, v6.VulnerabilityDBFileName))
}

func write(store v6.ReadWriter, one record, provider *v6.Provider) {
	vulnerability := &v6.VulnerabilityHandle{
		Name:       one.ID,
		ProviderID: provider.ID,
		Provider:   provider,
		Status:     v6.VulnerabilityActive,
		BlobValue:  &v6.VulnerabilityBlob{ID: one.ID, Description: one.Summary, Aliases: one.Aliases},
	}
	must(store.AddVulnerabilities(vulnerability))
	for _, affected := range one.Affected {
		ecosystem, known := ecosystems[affected.Package.Ecosystem]
		if !known {
			log.Fatalf("%s: no ecosystem %q here", one.ID, affected.Package.Ecosystem)
		}
		var constraints []string
		for _, version := range affected.Versions {
			constraints = append(constraints, "="+version)
		}
		for _, of := range affected.Ranges {
			constraints = append(constraints, span(of.Events))
		}
		must(store.AddAffectedPackages(&v6.AffectedPackageHandle{
			VulnerabilityID: vulnerability.ID,
			Package: &v6.Package{
				Ecosystem: string(ecosystem.of),
				Name:      name.Normalize(affected.Package.Name, ecosystem.of),
			},
			BlobValue: &v6.PackageBlob{
				CVEs: one.Aliases,
				Ranges: []v6.Range{{Version: v6.Version{
					Type:       ecosystem.versions,
					Constraint: strings.Join(constraints, " || "),
				}}},
			},
		}))
	}
}

// span says which versions the events of a range are about.
func span(events []map[string]string) string {
	var parts []string
	for _, event := range events {
		for kind, version := range event {
			operator, known := map[string]string{"introduced": ">=", "fixed": "<", "last_affected": "<="}[kind]
			if !known {
				log.Fatalf("no event %q here", kind)
			}
			if version != "0" {
				parts = append(parts, operator+version)
			}
		}
	}
	if len(parts) == 0 {
		return ">=0"
	}
	return strings.Join(parts, ",")
}

func read(path string) record {
	bytes, err := os.ReadFile(path)
	must(err)
	var one record
	must(json.Unmarshal(bytes, &one))
	return one
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
