// Makes a database of Trivy's, schema 2, of OSV records: `db FOLDER RECORD...`. Each record is filed by its CVE, or else by its
// id, as Trivy files advisories of GitHub's.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/aquasecurity/trivy-db/pkg/ecosystem"
	"github.com/aquasecurity/trivy-db/pkg/metadata"
	"github.com/aquasecurity/trivy-db/pkg/types"
	"github.com/aquasecurity/trivy-db/pkg/vulnsrc/vulnerability"
	bolt "go.etcd.io/bbolt"
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

// What Trivy calls ecosystems of OSV.
var ecosystems = map[string]ecosystem.Type{
	"crates.io": ecosystem.Cargo,
	"Go":        ecosystem.Go,
	"npm":       ecosystem.Npm,
	"PyPI":      ecosystem.Pip,
}

func main() {
	log.SetFlags(0)
	folder := os.Args[1]
	must(db.Init(folder))
	must(db.Config{}.BatchUpdate(func(tx *bolt.Tx) error {
		for _, path := range os.Args[2:] {
			write(tx, read(path))
		}
		return nil
	}))
	must(db.Close())
	now := time.Now().UTC()
	must(metadata.NewClient(folder).Update(metadata.Metadata{
		Version: db.SchemaVersion, NextUpdate: now.Add(24 * time.Hour), UpdatedAt: now, DownloadedAt: now,
	}))
	log.Printf("%d records in %s", len(os.Args)-2, filepath.Join(folder, "trivy.db"))
}

func write(tx *bolt.Tx, one record) {
	config := db.Config{}
	id, others := one.ID, one.Aliases
	for at, alias := range one.Aliases {
		if strings.HasPrefix(alias, "CVE-") {
			others = append([]string{one.ID}, append(append([]string{}, one.Aliases[:at]...), one.Aliases[at+1:]...)...)
			id = alias
			break
		}
	}
	must(config.PutVulnerability(tx, id, types.Vulnerability{Title: one.Summary}))
	source := types.DataSource{ID: vulnerability.GHSA, Name: "GitHub Security Advisory", URL: "https://github.com/advisories"}
	for _, affected := range one.Affected {
		of, known := ecosystems[affected.Package.Ecosystem]
		if !known {
			log.Fatalf("%s: no ecosystem %q here", one.ID, affected.Package.Ecosystem)
		}
		bucket := string(of) + "::" + source.Name
		must(config.PutDataSource(tx, bucket, source))
		advisory := types.Advisory{VendorIDs: others}
		for _, version := range affected.Versions {
			advisory.VulnerableVersions = append(advisory.VulnerableVersions, "="+version)
		}
		for _, within := range affected.Ranges {
			advisory.VulnerableVersions = append(advisory.VulnerableVersions, span(within.Events))
		}
		name := vulnerability.NormalizePkgName(of, affected.Package.Name)
		must(config.PutAdvisory(tx, []string{bucket, name}, id, advisory))
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
			parts = append(parts, operator+version)
		}
	}
	return strings.Join(parts, ", ")
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
