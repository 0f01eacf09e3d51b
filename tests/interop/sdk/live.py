"""The Python SDK at a live node, and behind a proxy that lies:

    python live.py URL KEY ISSUER CLAIM PURL TRUE FALSE

TRUE is what the claim says, and FALSE what the proxy makes of it, in as many bytes.
"""

import base64
import contextlib
import http.server
import json
import sys
import threading
import urllib.request

from assay_log import AssayError, CallerError, IssuerError, Log

url, key, issuer, claim, purl, right, wrong = sys.argv[1:]


@contextlib.contextmanager
def behind(change):
    """A proxy in front of the node that changes bodies."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            headers = {"Accept": self.headers["Accept"]}
            asked = urllib.request.Request(url + self.path, headers=headers)
            with urllib.request.urlopen(asked) as answer:
                body = change(answer.read())
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield Log(f"http://127.0.0.1:{server.server_port}", [key])
        finally:
            server.shutdown()


def lie(body):
    """Puts the lie in place of the truth, also where it stands in base64."""
    changed = body.replace(right.encode(), wrong.encode())
    try:
        sent = json.loads(changed)
        envelope = json.loads(sent["envelope"])
    except ValueError:
        pass  # not a receipt
    else:
        payload = base64.b64decode(envelope["payload"]).replace(right.encode(), wrong.encode())
        envelope["payload"] = base64.b64encode(payload).decode()
        changed = json.dumps({**sent, "envelope": json.dumps(envelope) + "\n"}).encode()
    assert changed != body or right.encode() not in body, "the lie changes nothing"
    return changed


def says(found):
    claims = [one.claim for one in found.claims]
    told = json.dumps(claims[0].statement.predicate) if claims else ""
    return found.is_complete, [one.id.hex() for one in claims], right in told


def refused(ask):
    """Whether something is refused, and the caller and the issuer are not blamed for it."""
    try:
        return False, ask()
    except AssayError as error:
        assert not isinstance(error, CallerError | IssuerError), error
        return True, None


truth = (True, [claim], True)
straight = Log(url, [key])
assert says(straight.lookup(purl=purl, issuers=[issuer])) == truth
assert says(straight.lookup(purl=purl)) == truth
assert straight.receipt(claim).claim.id.hex() == claim
assert says(straight.lookup(purl="pkg:npm/nobody-spoke-of-this")) == (True, [], False)
try:
    straight.receipt("00" * 32)
except CallerError as error:
    assert error.kind == "refused", error
else:
    raise AssertionError("there is a receipt of no claim")

with behind(lambda body: body) as log:
    assert says(log.lookup(purl=purl, issuers=[issuer])) == truth
with behind(lie) as log:
    assert refused(lambda: log.lookup(purl=purl, issuers=[issuer]))[0]
    assert refused(lambda: log.receipt(claim))[0]
# One bit, here and there: nothing but the truth is ever said.
count = 0
for turn in range(64):

    def flip(body, turn=turn):
        changed = bytearray(body)
        changed[len(body) * turn // 64] ^= 1 << turn % 8
        return bytes(changed)

    with behind(flip) as log:
        is_refused, found = refused(lambda: log.lookup(purl=purl, issuers=[issuer]))
    count += is_refused
    assert is_refused or says(found) == truth, turn
assert count > 32, f"{count} of 64 were refused"
print(f"right, and {count} of 64 flips refused")
