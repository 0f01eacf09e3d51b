// Command onboard adds logs to litewitness's database while litewitness runs. Its own tool for that,
// witnessctl, does not build without modules that are not to be had.
//
// It reads an origin and a verifier key from each line of standard input.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// The root of an empty tree: SHA-256 of nothing.
const emptyRoot = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

func main() {
	if err := onboard(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func onboard(path string) (err error) {
	db, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer db.Close()
	defer sqlitex.Transaction(db)(&err)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var origin, vkey string
		if _, err := fmt.Sscan(lines.Text(), &origin, &vkey); err != nil {
			return err
		}
		log := "INSERT INTO log(origin, tree_size, tree_hash) VALUES (?, 0, ?)"
		if err := sqlitex.Exec(db, log, nil, origin, emptyRoot); err != nil {
			return err
		}
		key := "INSERT INTO key(origin, key) VALUES (?, ?)"
		if err := sqlitex.Exec(db, key, nil, origin, vkey); err != nil {
			return err
		}
	}
	return nil
}
