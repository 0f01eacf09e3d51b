module assay/tests/interop/gocsaf

go 1.25.0

tool github.com/gocsaf/csaf/v3/cmd/csaf_validator

require (
	github.com/Intevation/gval v1.3.0 // indirect
	github.com/Intevation/jsonpath v0.2.1 // indirect
	github.com/gocsaf/csaf/v3 v3.6.0 // indirect
	github.com/jessevdk/go-flags v1.6.1 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.2 // indirect
	github.com/shopspring/decimal v1.4.0 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)
