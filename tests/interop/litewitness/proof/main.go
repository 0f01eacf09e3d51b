// Command proof makes and verifies C2SP tlog-proofs with torchwood, which is a library. Its own
// command for them, spicy, makes logs of files.
//
//	proof make URL INDEX [EXTRA]       a proof of an entry of the log at URL, from its tiles, under
//	                                   its latest checkpoint; EXTRA is base64
//	proof verify POLICY PROOF <ENTRY   whether a proof holds for an entry, under a tlog-policy
package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 3 && args[0] == "make":
		return makeProof(args[1], args[2], args[3:])
	case len(args) == 3 && args[0] == "verify":
		return verify(args[1], args[2])
	}
	return errors.New("usage: proof make URL INDEX [EXTRA] | proof verify POLICY PROOF <ENTRY")
}

func makeProof(url, number string, extra []string) error {
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return err
	}
	ctx := context.Background()
	fetcher, err := torchwood.NewTileFetcher(url)
	if err != nil {
		return err
	}
	signed, err := fetcher.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return err
	}
	text, _, _ := strings.Cut(string(signed), "\n\n")
	head, err := torchwood.ParseCheckpoint(text + "\n")
	if err != nil {
		return err
	}
	hashes := torchwood.TileHashReaderWithContext(ctx, head.Tree, fetcher)
	proof, err := tlog.ProveRecord(head.N, index, hashes)
	if err != nil {
		return err
	}
	made := torchwood.FormatProof(index, proof, signed)
	if len(extra) > 0 {
		data, err := base64.StdEncoding.DecodeString(extra[0])
		if err != nil {
			return err
		}
		made = torchwood.FormatProofWithExtraData(index, data, proof, signed)
	}
	_, err = os.Stdout.Write(made)
	return err
}

func verify(policyFile, proofFile string) error {
	text, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	policy, err := torchwood.ParsePolicy(text)
	if err != nil {
		return err
	}
	proof, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	entry, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return torchwood.VerifyProof(policy, tlog.RecordHash(entry), proof)
}
